/**
 * A bare relay of Spread frames on one thread, as a yardstick for what Node's sockets can do. It has no validation, no order between senders,
 * no flow control and no membership. It is not an upper bound: it writes each chunk as it was read, while skein joins chunks.
 */
import { createServer, type Server, type Socket } from 'node:net';

const HEADER = 48;
const NAME = 32;
const JOIN = 0x0001_0000;
const REGULAR = 0x3f;
const PRIVATE_MARK = 0x23;
const AUTH_CHOICE = 90;

interface Tables {
  readonly groups: Map<string, Socket[]>;
  readonly clients: Map<string, Socket>;
}

const nameAt = (bytes: Buffer, at: number): string => bytes.toString('latin1', at, bytes.indexOf(0, at));

class RelayConnection {
  readonly #socket: Socket;
  readonly #groups: Map<string, Socket[]>;
  readonly #clients: Map<string, Socket>;
  #state: 'connect' | 'auth' | 'frames' = 'connect';
  #name = '';
  #rest: Buffer = Buffer.alloc(0);

  constructor(socket: Socket, tables: Tables) {
    this.#socket = socket;
    this.#groups = tables.groups;
    this.#clients = tables.clients;
    socket.setNoDelay(true);
    socket.on('data', (chunk) => this.#take(chunk));
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#leave());
  }

  #take(chunk: Buffer): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    if (this.#state === 'connect') {
      if (bytes.length < 5 || bytes.length < 5 + bytes[4]) {
        this.#keep(bytes, 0);
        return;
      }
      this.#name = `#${bytes.toString('latin1', 5, 5 + bytes[4])}#relay`;
      at = 5 + bytes[4];
      this.#socket.write(Buffer.from('\x05NULL ', 'latin1'));
      this.#state = 'auth';
    }
    if (this.#state === 'auth') {
      if (bytes.length - at < AUTH_CHOICE) {
        this.#keep(bytes, at);
        return;
      }
      at += AUTH_CHOICE;
      this.#socket.write(
        Buffer.concat([Buffer.from([1, 4, 4, 0, this.#name.length]), Buffer.from(this.#name, 'latin1')]),
      );
      this.#clients.set(this.#name, this.#socket);
      this.#state = 'frames';
    }
    this.#frames(bytes, at);
  }

  /** Consecutive frames for the same group leave as one write per member. */
  #frames(bytes: Buffer, start: number): void {
    let at = start;
    let runStart = start;
    let runGroup = -1;
    while (bytes.length - at >= HEADER + NAME) {
      const total = HEADER + bytes.readInt32LE(at + 36) * NAME + bytes.readInt32LE(at + 44);
      if (bytes.length - at < total) break;
      const group = at + HEADER;
      if (runGroup < 0 || bytes.compare(bytes, runGroup, runGroup + NAME, group, group + NAME) !== 0) {
        this.#pass(bytes, runStart, at, runGroup);
        runStart = at;
        runGroup = group;
      }
      const type = bytes.readUInt32LE(at);
      if ((type & REGULAR) === 0) {
        if ((type & JOIN) !== 0) this.#join(nameAt(bytes, group));
        runStart = at + total;
        runGroup = -1;
      }
      at += total;
    }
    this.#pass(bytes, runStart, at, runGroup);
    this.#keep(bytes, at);
  }

  #pass(bytes: Buffer, from: number, to: number, groupAt: number): void {
    if (groupAt < 0 || from === to) return;
    const target = nameAt(bytes, groupAt);
    const run = bytes.subarray(from, to);
    if (bytes[groupAt] === PRIVATE_MARK) this.#clients.get(target)?.write(run);
    else for (const member of this.#groups.get(target) ?? []) member.write(run);
  }

  #join(group: string): void {
    const members = this.#groups.get(group) ?? [];
    members.push(this.#socket);
    this.#groups.set(group, members);
  }

  #leave(): void {
    this.#clients.delete(this.#name);
    for (const [group, members] of this.#groups) {
      const left = members.filter((member) => member !== this.#socket);
      if (left.length === 0) this.#groups.delete(group);
      else this.#groups.set(group, left);
    }
  }

  #keep(bytes: Buffer, from: number): void {
    this.#rest = from === bytes.length ? Buffer.alloc(0) : Buffer.from(bytes.subarray(from));
  }
}

/** A relay that is not listening yet. */
export function createRelay(): Server {
  const tables: Tables = { groups: new Map(), clients: new Map() };
  return createServer((socket) => new RelayConnection(socket, tables));
}
