/** A client on a raw socket: the test chooses every byte it sends and when it reads. */
import { connect, type Socket } from 'node:net';
import { CONNECT_WANTS_MEMBERSHIP } from '../../../engine/wire/connect-flags.ts';
import {
  AGREED,
  type ByteOrder,
  decodeFrame,
  encodeFrame,
  frameLength,
  type IncomingFrame,
  isMessage,
  JOIN,
  KILL,
  LEAVE,
} from './wire-frames.ts';

const GIVE_UP_MS = 30_000;

/** `host`: default 127.0.0.1. */
export type Target = { readonly port: number; readonly host?: string } | { readonly path: string };

/** Sends bytes, and waits for received ones. */
export class WireSocket {
  /** Received bytes that the test has not taken yet. */
  received: Buffer = Buffer.alloc(0);
  /** The daemon or this side has closed. */
  ended = false;
  readonly socket: Socket;
  readonly #chunks: Buffer[] = [];
  readonly #watchers = new Set<() => void>();

  constructor(target: Target) {
    this.socket =
      'path' in target ? connect(target.path) : connect({ port: target.port, host: target.host ?? '127.0.0.1' });
    this.socket.setNoDelay(true);
    this.socket.on('data', (chunk) => {
      this.#chunks.push(chunk);
      this.changed();
    });
    this.socket.on('error', () => {});
    this.socket.on('close', () => {
      this.ended = true;
      this.changed();
    });
  }

  send(bytes: Uint8Array | string): void {
    this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'hex') : bytes);
  }

  /** Sends; waits while the kernel takes no more. */
  async sendAll(bytes: Uint8Array): Promise<void> {
    if (this.socket.write(bytes)) return;
    await this.until(() => !this.socket.writableNeedDrain, 'the daemon to read', this.socket, 'drain');
  }

  close(): void {
    this.socket.destroy();
  }

  /** Concatenates the chunks that arrived since the last call. */
  gather(): Buffer {
    if (this.#chunks.length > 0) this.received = Buffer.concat([this.received, ...this.#chunks.splice(0)]);
    return this.received;
  }

  async take(length: number): Promise<Buffer> {
    await this.until(() => this.gather().length >= length || this.ended, `${length} bytes`);
    const bytes = this.gather().subarray(0, length);
    this.received = this.received.subarray(bytes.length);
    if (bytes.length < length) throw new Error(`closed after ${bytes.toString('hex')}, ${length} bytes expected`);
    return bytes;
  }

  /** Everything up to the end of the connection. */
  async takeToEnd(): Promise<Buffer> {
    await this.until(() => this.ended, 'the daemon to close');
    return this.gather();
  }

  async until(condition: () => boolean, what: string, source?: Socket, event?: string): Promise<void> {
    const deadline = Date.now() + GIVE_UP_MS;
    while (!condition()) {
      if (Date.now() >= deadline) throw new Error(`waited ${GIVE_UP_MS} ms for ${what}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(() => done(), deadline - Date.now());
        const done = (): void => {
          clearTimeout(timer);
          this.#watchers.delete(done);
          resolve();
        };
        this.#watchers.add(done);
        if (source !== undefined && event !== undefined) source.once(event, done);
      });
    }
  }

  protected changed(): void {
    for (const watcher of [...this.#watchers]) watcher();
  }
}

export interface ClientOptions {
  readonly name: string;
  /** Default: true. */
  readonly membership?: boolean;
  /** Byte order of its frames; default: little. */
  readonly order?: ByteOrder;
}

export const connectBytes = (name: string, membership: boolean, version: readonly number[] = [4, 4, 0]): Buffer =>
  connectWithFlags(name, membership ? CONNECT_WANTS_MEMBERSHIP : 0, version);

/** @param flags the whole byte */
export const connectWithFlags = (name: string, flags: number, version: readonly number[] = [4, 4, 0]): Buffer =>
  Buffer.concat([Buffer.from([...version, flags, name.length]), Buffer.from(name, 'latin1')]);

/** The 90 bytes that choose authentication methods. */
export function authChoice(...methods: readonly string[]): Buffer {
  const bytes = Buffer.alloc(90);
  for (const [i, method] of methods.entries()) bytes.write(method, i * 30, 'latin1');
  return bytes;
}

export class WireClient extends WireSocket {
  privateName = '';
  readonly #order: ByteOrder;
  readonly #frames: IncomingFrame[] = [];

  private constructor(target: Target, options: ClientOptions) {
    super(target);
    this.#order = options.order ?? 'little';
  }

  /** Connects with NULL authentication. @throws (rejects) when the daemon refuses */
  static async connect(target: Target, options: ClientOptions): Promise<WireClient> {
    const client = new WireClient(target, options);
    try {
      client.send(connectBytes(options.name, options.membership ?? true));
      const [length] = await client.take(1);
      if (length! > 127) throw new Error(`refused with ${length! - 256}`);
      await client.take(length!);
      client.send(authChoice('NULL'));
      await client.finishHandshake();
    } catch (error) {
      client.close();
      throw error;
    }
    return client;
  }

  async finishHandshake(): Promise<void> {
    const [code] = await this.take(1);
    if (code !== 1) throw new Error(`refused with ${code! - 256}`);
    const nameLength = (await this.take(4))[3]!;
    this.privateName = (await this.take(nameLength)).toString('latin1');
  }

  join(group: string): void {
    this.#request(JOIN, group);
  }

  leave(group: string): void {
    this.#request(LEAVE, group);
  }

  kill(): void {
    this.#request(KILL, this.privateName);
  }

  multicast(groups: string | readonly string[], data: Buffer | string, type = AGREED, messageType = 0): void {
    this.send(this.encode(groups, data, type, messageType));
  }

  encode(groups: string | readonly string[], data: Buffer | string, type = AGREED, messageType = 0): Buffer {
    const list = typeof groups === 'string' ? [groups] : groups;
    return encodeFrame({ type, sender: this.privateName, groups: list, data, messageType, order: this.#order });
  }

  /** How many received frames the test has not taken yet. */
  get waiting(): readonly IncomingFrame[] {
    this.#parse();
    return this.#frames;
  }

  /** The next `count` frames. */
  async frames(count: number): Promise<readonly IncomingFrame[]> {
    const enough = (): boolean => {
      this.#parse();
      return this.#frames.length >= count || this.ended;
    };
    try {
      await this.until(enough, `${count} frames`);
    } catch (error) {
      throw new Error(`${this.privateName} has ${this.#frames.length} frames`, { cause: error });
    }
    if (!enough() || this.#frames.length < count) {
      throw new Error(`${this.privateName} was closed with ${this.#frames.length} of ${count} frames`);
    }
    return this.#frames.splice(0, count);
  }

  async frame(): Promise<IncomingFrame> {
    return (await this.frames(1))[0]!;
  }

  /** Data of the next `count` frames, which must be messages. */
  async messages(count: number): Promise<readonly string[]> {
    const frames = await this.frames(count);
    return frames.map((frame) => {
      if (!isMessage(frame)) throw new Error(`a message was expected, type 0x${frame.type.toString(16)} came`);
      return frame.data.toString('latin1');
    });
  }

  /** Joins and waits for the view of the join. */
  async joined(group: string): Promise<IncomingFrame> {
    this.join(group);
    return this.frame();
  }

  /**
   * Sends itself a message and waits for it: everything this connection sent before is ordered then, and everything
   * before it in the order is delivered. @returns the frames that came before it
   */
  async barrier(): Promise<readonly IncomingFrame[]> {
    const mark = `barrier ${this.#barriers++}`;
    this.multicast(this.privateName, mark);
    const index = (): number => {
      this.#parse();
      return this.#frames.findIndex((frame) => frame.data.toString('latin1') === mark);
    };
    await this.until(() => index() !== -1 || this.ended, `its own ${mark}`);
    const at = index();
    if (at === -1) throw new Error(`${this.privateName} was closed before its own ${mark}`);
    return this.#frames.splice(0, at + 1).slice(0, at);
  }

  #barriers = 0;

  #request(type: number, group: string): void {
    this.send(encodeFrame({ type, sender: this.privateName, groups: [group], order: this.#order }));
  }

  #parse(): void {
    let rest = this.gather();
    for (let length = frameLength(rest); length > 0; length = frameLength(rest)) {
      this.#frames.push(decodeFrame(rest.subarray(0, length)));
      rest = rest.subarray(length);
    }
    this.received = rest;
  }
}
