/** What a merge costs the process groups: several daemons with many groups part, and come together again. */
import type { Configuration } from '../../../engine/host/configuration.ts';
import { incarnation, nodeIndex } from '../../../engine/wire/ids.ts';
import { groupsRecord, joinRecord } from '../node/records.ts';
import { GroupDaemon, type Work } from './group-daemon.ts';

export interface GroupSizes {
  readonly daemons: number;
  readonly groups: number;
  readonly clientsPerDaemon: number;
  /** Over all daemons. */
  readonly memberships: number;
}

/** Of the daemon that had most to do, in the worst of the rounds. */
export interface ExchangeFigures extends Work {
  /** From the loss of a part until clients have their views. */
  readonly partitionMs: number;
  readonly tableBytes: number;
  /** GROUPS records, each of which fills a datagram of 1,400 bytes. */
  readonly packets: number;
  readonly memberships: number;
  readonly views: number;
}

const ROUNDS = 3;
/** All daemons but the last stay together. */
const partsOf = (daemons: number): readonly (readonly number[])[] => [
  Array.from({ length: daemons - 1 }, (_, i) => i),
  [daemons - 1],
];

export const groupName = (group: number): string => `group-${group}`;

export class GroupCluster {
  readonly daemons: readonly GroupDaemon[];
  readonly #all: readonly number[];
  #ringSeq = 1_800_000_000;

  constructor(count: number, clientsPerDaemon: number) {
    this.daemons = Array.from({ length: count }, (_, node) => new GroupDaemon(node, count, clientsPerDaemon));
    this.#all = this.daemons.map((_, node) => node);
    for (const node of this.#all) this.#configure('regular', [node]);
    this.join(this.#all.map((node) => [node]));
  }

  /** Every membership is ordered by itself, as it is when clients come one by one. */
  fill({ groups, clientsPerDaemon, memberships }: GroupSizes): void {
    const clients = this.daemons.length * clientsPerDaemon;
    const perClient = Math.ceil(memberships / clients);
    // A client's groups lie far apart, so that no two of them share all their members.
    const stride = Math.max(1, Math.floor(groups / perClient));
    for (let i = 0; i < memberships; i++) {
      const client = i % clients;
      // A group's clients are spread over all numbers, and so over all daemons.
      const node = nodeIndex(Math.floor(client / clientsPerDaemon));
      const session = client % clientsPerDaemon;
      const group = (client + Math.floor(i / clients) * stride) % groups;
      const record = joinRecord(0, session, groupName(group), `#client-${session}#daemon-${node}`, true);
      for (const daemon of this.daemons) {
        daemon.record(node, record);
        daemon.deliver();
      }
    }
  }

  /** The parts go on as rings of their own. */
  part(parts: readonly (readonly number[])[]): void {
    for (const part of parts) {
      this.#ringSeq++;
      this.#configure('transitional', part);
      this.#configure('regular', part);
    }
    for (const daemon of this.daemons) daemon.deliver();
  }

  /** @returns records and bytes of the state exchange */
  join(parts: readonly (readonly number[])[]): { readonly packets: number; readonly bytes: number } {
    this.#ringSeq++;
    for (const part of parts) this.#configure('transitional', part);
    this.#configure('regular', this.#all);
    let packets = 0;
    let bytes = 0;
    for (const from of this.daemons)
      for (const body of from.outbox.splice(0)) {
        packets++;
        bytes += body.length;
        const record = groupsRecord(body);
        for (const to of this.daemons) to.record(from.node, record);
      }
    for (const daemon of this.daemons) daemon.deliver();
    return { packets, bytes };
  }

  #configure(kind: 'regular' | 'transitional', nodes: readonly number[]): void {
    const configuration: Configuration = {
      id: { kind, ringSeq: this.#ringSeq, leader: nodeIndex(nodes[0]), leaderIncarnation: incarnation(1) },
      members: nodes.map((node) => ({ node: nodeIndex(node), incarnation: incarnation(1) })),
    };
    for (const node of nodes) this.daemons[node].configurationChanged(configuration);
  }
}

export function exchangeFigures(sizes: GroupSizes): ExchangeFigures {
  const cluster = new GroupCluster(sizes.daemons, sizes.clientsPerDaemon);
  const { daemons } = cluster;
  cluster.fill(sizes);
  const parts = partsOf(sizes.daemons);
  const reset = (): void => {
    for (const daemon of daemons) daemon.resetWork();
  };
  const most = (of: (daemon: GroupDaemon) => number): number => Math.max(...daemons.map(of));
  let worst: ExchangeFigures | null = null;
  for (let round = 0; round < ROUNDS; round++) {
    reset();
    cluster.part(parts);
    const partitionMs = most(({ work }) => work.groupsMs + work.deliveryMs);
    reset();
    const { packets, bytes } = cluster.join(parts);
    const groupsMs = most(({ work }) => work.groupsMs);
    if (worst !== null && worst.groupsMs >= groupsMs) continue;
    worst = {
      partitionMs,
      groupsMs,
      longestMs: most(({ work }) => work.longestMs),
      deliveryMs: most(({ work }) => work.deliveryMs),
      tableBytes: bytes,
      packets,
      memberships: membershipsOf(daemons[0], sizes.groups),
      views: most(({ frames }) => frames),
    };
  }
  const hashes = new Set(daemons.map(({ layer }) => layer.stateHash()));
  if (hashes.size !== 1) throw new Error(`the tables differ after the merge: ${[...hashes].join(' ')}`);
  return worst!;
}

function membershipsOf({ layer }: GroupDaemon, groups: number): number {
  let count = 0;
  for (let group = 0; group < groups; group++) count += layer.memberCount(groupName(group));
  return count;
}
