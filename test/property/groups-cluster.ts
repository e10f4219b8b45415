/**
 * Daemons with a process-group layer each, on a naive network that has exactly the properties the ring promises (EVS): one total
 * order per regular configuration, daemons that deliver it at their own pace, and reconfigurations at any moment. Whoever moves
 * together delivers the same messages; the others may lose the end of the order. Every step is checked.
 */
import { GroupsLayer } from '../../engine/groups/groups-layer.ts';
import { GroupsState } from '../../engine/groups/groups-state.ts';
import type { Configuration } from '../../engine/host/configuration.ts';
import { incarnation, nodeIndex } from '../../engine/wire/ids.ts';
import {
  deliver,
  disconnectRecord,
  groupsRecord,
  joinRecord,
  leaveRecord,
  type OrderedRecord,
  RecordingOutput,
} from '../unit/groups-fixtures.ts';
import { ClientTraces } from './groups-traces.ts';

const GROUPS = ['a', 'b', 'room', 'zone'];

interface DataMessage {
  readonly origin: number;
  readonly kind: 'data';
  readonly group: string;
  readonly id: number;
}

type Sequenced = OrderedRecord | DataMessage;

/** One regular configuration and its order. */
interface Ring {
  readonly configuration: Configuration;
  readonly order: Sequenced[];
}

interface Session {
  readonly handle: number;
  readonly name: string;
  readonly wantsMembership: boolean;
  isEnding: boolean;
}

class Daemon {
  readonly node: number;
  readonly incarnation: number;
  readonly output: RecordingOutput;
  readonly layer: GroupsLayer;
  ring: Ring | null = null;
  /** How much of `ring.order` was delivered. */
  position = 0;
  /** Positions of `ring.order` somebody we promised to move with has delivered (the obligations of EVS-13). */
  owed = new Set<number>();
  /** It left its order but installed nothing yet: it neither originates nor delivers. */
  isBetween = false;
  /** A configuration ended before its state exchange did: members may vanish without a signal. */
  isCascade = false;
  readonly waiting: Sequenced[] = [];
  readonly sessions: Session[] = [];
  /** What its clients are in, by its own records alone: `group name`. */
  readonly joined = new Set<string>();

  constructor(node: number, daemonIncarnation: number, nodeCount: number, bodyBytes: number) {
    this.node = node;
    this.incarnation = daemonIncarnation;
    // Odd session handles want membership messages.
    const odd = Array.from({ length: 500 }, (_unused, i) => 2 * i + 1);
    this.output = new RecordingOutput(odd);
    const daemonAddress = Array.from({ length: nodeCount }, (_unused, i) => 0x7f00_0001 + i);
    this.layer = new GroupsLayer({ self: nodeIndex(node), daemonAddress, groupsBodyBytes: bodyBytes }, this.output);
  }
}

const id = (kind: 'regular' | 'transitional', ringSeq: number, members: readonly Daemon[]): Configuration => ({
  id: {
    kind,
    ringSeq,
    leader: nodeIndex(members[0]!.node),
    leaderIncarnation: incarnation(members[0]!.incarnation),
  },
  members: members.map((daemon) => ({ node: nodeIndex(daemon.node), incarnation: incarnation(daemon.incarnation) })),
});

export class Cluster {
  readonly traces = new ClientTraces();
  private readonly daemons: Daemon[];
  private readonly bodyBytes: number;
  private ringSeq = 1_700_000_000;
  private nextId = 0;
  private nextHandle = 0;
  /** State hash at each place of each order, by the first daemon that came there. */
  private readonly hashAt = new Map<string, string>();

  constructor(nodeCount: number, bodyBytes: number) {
    this.bodyBytes = bodyBytes;
    this.daemons = Array.from({ length: nodeCount }, (_unused, node) => new Daemon(node, 1, nodeCount, bodyBytes));
    this.reconfigure(
      this.daemons.map((_daemon, node) => node),
      0,
      new Set(),
    );
  }

  /** A client of daemon `d` does something; it is ordered when the daemon next originates. */
  act(d: number, what: number, which: number, group: number): void {
    const daemon = this.daemons[d % this.daemons.length]!;
    const live = daemon.sessions.filter((session) => !session.isEnding);
    const groupName = GROUPS[group % GROUPS.length]!;
    const session = live.length === 0 ? undefined : live[which % live.length]!;
    if (session === undefined || (what % 8 === 0 && daemon.sessions.length < 4)) {
      const free = ['ann', 'bob', 'cy', 'eve'].find((user) =>
        daemon.sessions.every(({ name }) => name !== `#${user}#d${daemon.node}`),
      );
      if (free === undefined) return;
      const name = `#${free}#d${daemon.node}`;
      const handle = this.nextHandle++;
      const opened = { handle, name, wantsMembership: handle % 2 === 1, isEnding: false };
      daemon.sessions.push(opened);
      daemon.waiting.push(joinRecord(daemon.node, handle, groupName, name, opened.wantsMembership));
      return;
    }
    const { handle, name, wantsMembership } = session;
    switch (what % 8) {
      case 1:
        session.isEnding = true;
        daemon.waiting.push(disconnectRecord(daemon.node, handle, name));
        return;
      case 2:
        daemon.waiting.push(leaveRecord(daemon.node, handle, groupName, name));
        return;
      case 3:
      case 4:
        daemon.waiting.push({ origin: daemon.node, kind: 'data', group: groupName, id: this.nextId++ });
        return;
      default:
        daemon.waiting.push(joinRecord(daemon.node, handle, groupName, name, wantsMembership));
    }
  }

  /** The daemon puts what waits into the order: the state exchange first, client records only when it may. */
  originate(d: number): void {
    const daemon = this.daemons[d % this.daemons.length]!;
    const ring = daemon.ring!;
    if (daemon.isBetween) return;
    for (const body of daemon.output.bodies.splice(0)) ring.order.push(groupsRecord(daemon.node, body));
    if (!daemon.output.blocked) ring.order.push(...daemon.waiting.splice(0));
  }

  /** The daemon delivers up to `count` more of its order. */
  advance(d: number, count: number): void {
    const daemon = this.daemons[d % this.daemons.length]!;
    if (daemon.isBetween) return;
    const end = Math.min(daemon.ring!.order.length, daemon.position + count);
    while (daemon.position < end) this.deliverNext(daemon, `${daemon.ring!.configuration.id.ringSeq}`);
  }

  /**
   * A new regular configuration for each colour in `colours`. Of an old order its leavers keep a common regular part, then what can be
   * recovered; `cut` chooses how much. Daemons in `missing` are listed but lose the install: they stay behind, owing what the
   * others of their transitional configuration delivered.
   */
  reconfigure(colours: readonly number[], cut: number, missing: ReadonlySet<number>): void {
    const byColour = new Map<number, Daemon[]>();
    for (const daemon of this.daemons) {
      const colour = colours[daemon.node % colours.length]!;
      byColour.set(colour, [...(byColour.get(colour) ?? []), daemon]);
    }
    for (const component of byColour.values()) {
      this.ringSeq++;
      const ring: Ring = { configuration: id('regular', this.ringSeq, component), order: [] };
      const installing = component.filter((daemon) => !missing.has(daemon.node) || daemon.ring === null);
      const oldRings = new Set(component.map((daemon) => daemon.ring));
      for (const old of oldRings) {
        const together = component.filter((daemon) => daemon.ring === old);
        if (old !== null) this.endRing(old, together, installing, cut);
      }
      for (const daemon of installing) {
        daemon.ring = ring;
        daemon.position = 0;
        daemon.owed = new Set();
        daemon.isBetween = false;
        daemon.layer.configurationChanged(ring.configuration);
        this.check(daemon, `${ring.configuration.id.ringSeq}`);
      }
    }
  }

  /** Crash and restart: a new incarnation that knows nothing, in a configuration of its own. */
  restart(d: number): void {
    const node = d % this.daemons.length;
    const next = new Daemon(node, this.daemons[node]!.incarnation + 1, this.daemons.length, this.bodyBytes);
    this.traces.forget(`d${node}`);
    this.daemons[node] = next;
    this.ringSeq++;
    next.ring = { configuration: id('regular', this.ringSeq, [next]), order: [] };
    next.layer.configurationChanged(next.ring.configuration);
  }

  /** All daemons meet and deliver everything; then all tables must hold exactly the joined clients. */
  settle(): void {
    this.reconfigure([0], 0, new Set());
    this.drain();
    const first = this.daemons[0]!.layer;
    for (const { layer, output } of this.daemons) {
      expectEqual(layer.state, GroupsState.Operational, 'state at rest');
      expectEqual(output.blocked, false, 'blocked at rest');
      expectEqual(layer.stateHash(), first.stateHash(), 'hash at rest');
    }
    for (const group of GROUPS) {
      const joined = this.daemons.flatMap((daemon) =>
        [...daemon.joined].filter((entry) => entry.startsWith(`${group} `)).sort(),
      );
      expectEqual(
        first.memberNames(group).join(),
        joined.map((entry) => entry.split(' ')[1]).join(),
        `members of ${group}`,
      );
    }
    this.traces.checkVsSets();
  }

  /** Originates and delivers until nothing changes. */
  drain(): void {
    for (let isMoving = true; isMoving; ) {
      isMoving = false;
      for (const daemon of this.daemons) {
        this.originate(daemon.node);
        if (!daemon.isBetween && daemon.position < daemon.ring!.order.length) isMoving = true;
        this.advance(daemon.node, Number.MAX_SAFE_INTEGER);
      }
    }
  }

  /** The most records a daemon still has to deliver. */
  get undelivered(): number {
    return Math.max(...this.daemons.map((daemon) => daemon.ring!.order.length - daemon.position));
  }

  private endRing(old: Ring, together: readonly Daemon[], installing: readonly Daemon[], cut: number): void {
    const nodes = new Set(together.map((daemon) => daemon.node));
    const floor = Math.max(...together.map((daemon) => daemon.position));
    const owed = new Set(together.flatMap((daemon) => [...daemon.owed]));
    const left = old.order.length - floor;
    const boundary = floor + (cut % (left + 1));
    const hole = boundary + ((cut >>> 4) % (old.order.length - boundary + 1));
    const transitional = id('transitional', this.ringSeq, together);
    const recovered: number[] = [];
    for (let at = boundary; at < old.order.length; at++) {
      if (at < hole || nodes.has(old.order[at]!.origin) || owed.has(at)) recovered.push(at);
    }
    for (const daemon of together) {
      if (!installing.includes(daemon)) {
        for (let at = 0; at < boundary; at++) daemon.owed.add(at);
        for (const at of recovered) daemon.owed.add(at);
        daemon.isBetween = true;
        continue;
      }
      const regular = `${old.configuration.id.ringSeq}`;
      while (daemon.position < boundary) this.deliverNext(daemon, regular);
      const place = `${regular}>${this.ringSeq}/${transitional.id.leader}`;
      const lossy = this.watchedGroups(daemon).filter((group) => this.losesMember(daemon, group, nodes));
      const isOperational = daemon.layer.state === GroupsState.Operational;
      if (!isOperational) daemon.isCascade = true;
      const before = this.signals(daemon);
      daemon.layer.configurationChanged(transitional);
      this.check(daemon, place);
      expectEqual(
        this.signals(daemon) - before,
        isOperational ? this.receivers(daemon, lossy) : 0,
        'transitional signals',
      );
      for (const at of recovered) {
        daemon.position = at;
        this.deliverNext(daemon, place);
      }
    }
  }

  private watchedGroups(daemon: Daemon): string[] {
    return GROUPS.filter((group) => this.receivers(daemon, [group]) > 0);
  }

  /** How many local sessions get a membership frame of each of `groups`, summed up. */
  private receivers(daemon: Daemon, groups: readonly string[]): number {
    return groups.flatMap((group) => daemon.output.sessionsIn(group)).filter((session) => session % 2 === 1).length;
  }

  private losesMember(daemon: Daemon, group: string, kept: ReadonlySet<number>): boolean {
    return daemon.layer.memberNames(group).some((name) => !kept.has(Number(name.split('#d')[1])));
  }

  private signals(daemon: Daemon): number {
    return this.traces.signalCount(`d${daemon.node}`);
  }

  private deliverNext(daemon: Daemon, place: string): void {
    const next = daemon.ring!.order[daemon.position++]!;
    if (next.kind === 'data') {
      for (const session of daemon.output.sessionsIn(next.group)) {
        this.traces.message(this.nameOf(daemon, session), next.group, next.id);
      }
      return;
    }
    const lengthOfGroups = GROUPS.map((group) => daemon.layer.memberCount(group));
    deliver(daemon.layer, next);
    if (next.origin === daemon.node) this.noteOwn(daemon, next);
    GROUPS.forEach((group, i) => {
      if (lengthOfGroups[i]! > 0 && daemon.layer.memberCount(group) === 0) this.traces.emptied(group);
    });
    this.check(daemon, place);
  }

  private nameOf(daemon: Daemon, session: number): string {
    return daemon.sessions.find(({ handle }) => handle === session)!.name;
  }

  /** Follows the daemon's own clients by its own records, naively. */
  private noteOwn(daemon: Daemon, { kind, bytes }: OrderedRecord): void {
    const handle = new DataView(bytes.buffer).getUint32(8, true);
    const text = (at: number): string => Buffer.from(bytes).toString('latin1', at, bytes.indexOf(0, at));
    if (kind === 2) daemon.joined.add(`${text(24)} ${text(56)}`);
    if (kind === 3) daemon.joined.delete(`${text(24)} ${text(56)}`);
    if (kind !== 4) return;
    const name = text(24);
    for (const entry of [...daemon.joined]) if (entry.endsWith(` ${name}`)) daemon.joined.delete(entry);
    expectEqual(daemon.output.log.at(-1), `ended ${handle}`, 'end of a session');
    this.collect(daemon);
    this.traces.forgetClient(name);
    daemon.sessions.splice(
      daemon.sessions.findIndex((session) => session.handle === handle),
      1,
    );
  }

  /** Hands new frames to the traces. */
  private collect(daemon: Daemon): void {
    for (const [session, frames] of daemon.output.framesOf) {
      for (const frame of frames.splice(0)) {
        this.traces.frame(`d${daemon.node}`, this.nameOf(daemon, session), frame, daemon.isCascade);
      }
    }
  }

  private check(daemon: Daemon, place: string): void {
    this.collect(daemon);
    const { layer, output } = daemon;
    expectEqual(output.blocked, layer.gathering, 'blocked while gathering');
    expectEqual(layer.malformedRecordCount + layer.misplacedRecordCount + layer.divergenceCount, 0, 'counters');
    for (const group of GROUPS) {
      const own = layer.memberNames(group).filter((name) => name.endsWith(`#d${daemon.node}`));
      const joined = output.sessionsIn(group).map((session) => this.nameOf(daemon, session));
      expectEqual(own.join(), joined.sort().join(), `own members of ${group}`);
    }
    if (layer.gathering) return;
    daemon.isCascade = false;
    const key = `${place} ${daemon.position} ${layer.state}`;
    const hash = this.hashAt.get(key) ?? layer.stateHash();
    this.hashAt.set(key, hash);
    expectEqual(layer.stateHash(), hash, `state hash at ${key}`);
    for (const group of GROUPS) {
      for (const session of output.sessionsIn(group)) {
        if (session % 2 === 0) continue;
        const seen = this.traces.currentView(this.nameOf(daemon, session), group);
        expectEqual(seen, layer.memberNames(group).join(), `view of ${group} at ${session}`);
      }
    }
  }
}

function expectEqual(actual: unknown, expected: unknown, what: string): void {
  if (actual !== expected) throw new Error(`${what}: ${String(actual)} instead of ${String(expected)}`);
}
