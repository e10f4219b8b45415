/** A minimal daemon for tests of whole sessions: joins, leaves, disconnects and messages, in the order of their arrival. */
import { type ClientFrame, readClientFrames } from './client-captures.ts';
import { FakeDaemon, type Peer } from './client-fake-daemon.ts';
import { frame, selfLeaveFrame, viewFrame } from './client-frames.ts';

const JOIN = 0x10000;
const LEAVE = 0x20000;
const KILL = 0x40000;

export class Hub {
  readonly #peers = new Map<string, Peer>();
  readonly #groups = new Map<string, string[]>();
  readonly #indices = new Map<string, number>();
  #daemon: FakeDaemon | undefined;

  static async start(): Promise<Hub> {
    const hub = new Hub();
    hub.#daemon = await FakeDaemon.start((peer) => hub.#serve(peer));
    return hub;
  }

  get address(): FakeDaemon['address'] {
    return this.#daemon!.address;
  }

  async stop(): Promise<void> {
    await this.#daemon?.stop();
  }

  async #serve(peer: Peer): Promise<void> {
    const name = `#${await peer.accept('hub')}#hub`;
    this.#peers.set(name, peer);
    try {
      for (;;) {
        const head = await peer.read(48);
        const rest = await peer.read(32 * head.readInt32LE(36) + head.readInt32LE(44));
        const [request] = readClientFrames(Buffer.concat([head, rest]));
        if (request!.bits === KILL) break;
        this.#handle(name, peer, request!);
      }
    } catch {
      // Closing without KILL is legal too.
    }
    peer.socket.end();
    this.#peers.delete(name);
    for (const [group, members] of this.#groups) {
      if (members.includes(name))
        this.#change(
          group,
          members.filter((member) => member !== name),
          'disconnect',
          name,
        );
    }
  }

  #handle(name: string, peer: Peer, request: ClientFrame): void {
    const group = request.groups[0]!;
    const members = this.#groups.get(group) ?? [];
    if (request.bits === JOIN) this.#change(group, [...members, name].sort(), 'join', name);
    else if (request.bits === LEAVE) {
      peer.write(selfLeaveFrame(group));
      this.#change(
        group,
        members.filter((member) => member !== name),
        'leave',
        name,
      );
    } else {
      const receivers = new Set(request.groups.flatMap((target) => this.#groups.get(target) ?? [target]));
      if ((request.bits & 0x40) !== 0) receivers.delete(name);
      const { bits, sender, groups, messageType, data } = request;
      for (const receiver of receivers)
        this.#peers.get(receiver)?.write(frame({ type: bits, sender, groups, messageType, data }));
    }
  }

  #change(group: string, members: string[], cause: 'join' | 'leave' | 'disconnect', changed: string): void {
    const index = (this.#indices.get(group) ?? 0) + 1;
    this.#indices.set(group, index);
    this.#groups.set(group, members);
    const view = viewFrame({ group, members, cause, changed, id: [1, 1, index] });
    for (const member of members) this.#peers.get(member)?.write(view);
  }
}
