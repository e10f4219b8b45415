/**
 * A deliberately bad network for daemons on loopback: a proxy between all of them drops, delays, duplicates and
 * reorders their datagrams, or cuts links. It does in this process what `tc netem` does in kernels that have it.
 *
 * For daemon N it listens on 127.0.1.N and passes on to 127.0.0.N, data and tokens on their own ports.
 */
import { createSocket, type Socket } from 'node:dgram';
import type { Random } from '../../simulation/core/random.ts';
import { matchesType, packetType } from '../../simulation/network/wire-view.ts';

/** Chances are from 0 to 1, for each datagram on each link. */
export interface Impairment {
  readonly loss: number;
  /** Delay of every datagram; up to half as much again is added at random. */
  readonly delayMs: number;
  readonly duplicate: number;
  /** Chance that a datagram is up to `REORDER_MS` late, so that others overtake it. */
  readonly reorder: number;
}

const NO_IMPAIRMENT: Impairment = { loss: 0, delayMs: 0, duplicate: 0, reorder: 0 };
const REORDER_MS = 10;
const BUFFER_BYTES = 4 * 1024 * 1024;

export interface ProxyCounts {
  passed: number;
  lost: number;
  cut: number;
  doubled: number;
  reordered: number;
}

/** One datagram as one daemon sent it to another. */
export interface PassedDatagram {
  readonly from: number;
  readonly to: number;
  readonly port: number;
  readonly datagram: Buffer;
}

export class UdpProxy {
  /** Called for every datagram that daemons send. */
  tap: ((passed: PassedDatagram) => void) | null = null;
  impairment: Impairment = NO_IMPAIRMENT;
  readonly counts: ProxyCounts = { passed: 0, lost: 0, cut: 0, doubled: 0, reordered: 0 };
  readonly #random: Random;
  readonly #sockets: Socket[] = [];
  /** By daemon; daemons of different components do not hear each other. */
  #component: readonly number[] = [];
  readonly #tokenWatchers = new Map<number, () => void>();
  #closed = false;

  private constructor(random: Random) {
    this.#random = random;
  }

  /** @param ports of the daemons' segments, in configuration order; tokens go to the port above */
  static async open(ports: readonly number[], random: Random): Promise<UdpProxy> {
    const proxy = new UdpProxy(random);
    for (const [node, port] of ports.entries()) for (const each of [port, port + 1]) await proxy.#listen(node, each);
    return proxy;
  }

  partition(component: readonly number[]): void {
    this.#component = component;
  }

  heal(): void {
    this.#component = [];
  }

  /** Sends a datagram to daemon `to` as if another one had sent it. */
  inject({ to, port, datagram }: Omit<PassedDatagram, 'from'>): void {
    if (!this.#closed) this.#sockets[0]!.send(datagram, port, `127.0.0.${to + 1}`);
  }

  /** Resolves right after a token has been passed on to daemon `node`. */
  tokenFor(node: number): Promise<void> {
    return new Promise((resolve) => this.#tokenWatchers.set(node, resolve));
  }

  close(): void {
    this.#closed = true;
    for (const socket of this.#sockets) socket.close();
  }

  async #listen(node: number, port: number): Promise<void> {
    const socket = createSocket({ type: 'udp4', recvBufferSize: BUFFER_BYTES, lookup: literalAddress });
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.bind(port, `127.0.1.${node + 1}`, () => resolve());
    });
    socket.removeAllListeners('error');
    // A daemon that is down refuses the datagram, which is lost.
    socket.on('error', () => {});
    this.#sockets.push(socket);
    const pass = (from: number, datagram: Buffer): void => this.#pass(socket, from, node, port, datagram);
    socket.on('message', (datagram, { address }) => {
      const from = Number(address.split('.')[3]) - 1;
      this.tap?.({ from, to: node, port, datagram });
      this.#impair(from, datagram, pass);
    });
  }

  #impair(from: number, datagram: Buffer, pass: (from: number, datagram: Buffer) => void): void {
    const { loss, delayMs, duplicate, reorder } = this.impairment;
    const random = this.#random;
    if (random.chance(loss)) {
      this.counts.lost++;
      return;
    }
    let copies = 1;
    if (random.chance(duplicate)) {
      this.counts.doubled++;
      copies++;
    }
    for (let i = 0; i < copies; i++) {
      let lateMs = delayMs === 0 ? 0 : random.real(delayMs, 1.5 * delayMs);
      if (random.chance(reorder)) {
        this.counts.reordered++;
        lateMs += random.real(0, REORDER_MS);
      }
      if (lateMs === 0) pass(from, datagram);
      else setTimeout(pass, lateMs, from, datagram);
    }
  }

  /** Checks the cut last, so that a datagram in flight when a link is cut is lost too. */
  #pass(socket: Socket, from: number, to: number, port: number, datagram: Buffer): void {
    if (this.#closed) return;
    if (this.#component[from] !== this.#component[to]) {
      this.counts.cut++;
      return;
    }
    this.counts.passed++;
    socket.send(datagram, port, `127.0.0.${to + 1}`);
    const watcher = this.#tokenWatchers.get(to);
    if (watcher === undefined || !matchesType('token', packetType(datagram))) return;
    this.#tokenWatchers.delete(to);
    watcher();
  }
}

type LookupAnswer = (error: null, address: string, family: number) => void;

/** All addresses are literal; Node's own lookup would answer one turn of the event loop later. */
function literalAddress(address: string, _options: unknown, answer: LookupAnswer): void {
  answer(null, address, 4);
}
