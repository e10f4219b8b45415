/** What an ordered message costs a daemon, from the ring to the socket, with few and with many groups beside it. */
import type { NodeIndex } from '../../../engine/wire/ids.ts';
import { joinRecord, leaveRecord, runRecord } from '../node/records.ts';
import { GroupCluster, groupName } from './exchange-cost.ts';
import type { GroupDaemon } from './group-daemon.ts';

export interface MessageFigures {
  readonly groups: number;
  /** Microseconds of a message to one of a few groups, and to one of all. */
  readonly sameUs: number;
  readonly allUs: number;
  /** Of a join or a leave, with its view. */
  readonly churnUs: number;
}

const CLIENTS = 100;
const MEMBERS = 10;
/** A client that is in no group at first. */
const JOINER = CLIENTS;
const FEW_GROUPS = 10;
const MESSAGES = 20_000;
const CHURNS = 4_000;
/** Messages between two looks of the delivery agent. */
const BATCH = 200;
const ROUNDS = 7;
const PAYLOAD_BYTES = 100;

interface Beside {
  readonly groups: number;
  readonly daemon: GroupDaemon;
  readonly few: readonly Uint8Array[];
  readonly all: readonly Uint8Array[];
  readonly churn: readonly Uint8Array[];
}

/** The sizes take turns, so that a machine that is slow for a while is so for all of them; the best of the rounds counts. */
export function messageFigures(sizes: readonly number[]): MessageFigures[] {
  const beside = sizes.map(build);
  const best = beside.map(({ groups }) => ({ groups, sameUs: Infinity, allUs: Infinity, churnUs: Infinity }));
  for (let round = 0; round < ROUNDS; round++)
    for (const [i, { daemon, few, all, churn }] of beside.entries()) {
      const figures = best[i];
      figures.sameUs = Math.min(
        figures.sameUs,
        timeOf(few, (record) => daemon.run(daemon.node, record), daemon),
      );
      figures.allUs = Math.min(
        figures.allUs,
        timeOf(all, (record) => daemon.run(daemon.node, record), daemon),
      );
      figures.churnUs = Math.min(
        figures.churnUs,
        timeOf(churn, (record) => daemon.record(daemon.node, record), daemon),
      );
    }
  return best;
}

/** One daemon; every group has ten members on it, so that each message has as many receivers. */
function build(groups: number): Beside {
  const [daemon] = new GroupCluster(1, CLIENTS + 1).daemons;
  for (let group = 0; group < groups; group++)
    for (let i = 0; i < MEMBERS; i++) {
      daemon.record(
        daemon.node,
        joinRecord(
          0,
          (group * MEMBERS + i) % CLIENTS,
          groupName(group),
          memberName(daemon.node, (group * MEMBERS + i) % CLIENTS),
          false,
        ),
      );
      daemon.deliver();
    }
  const few = Math.min(groups, FEW_GROUPS);
  // A step without a common divisor: every group has its turn, in an order without pattern.
  const messages = (count: number): Uint8Array[] =>
    Array.from({ length: MESSAGES }, (_, i) => message(groupName((i * 7919) % count)));
  const churn: Uint8Array[] = [];
  for (let i = 0; i < CHURNS; i += 2) {
    const group = groupName((i * 7919) % few);
    const name = memberName(daemon.node, JOINER);
    churn.push(joinRecord(0, JOINER, group, name, true), leaveRecord(0, JOINER, group, name));
  }
  return { groups, daemon, few: messages(few), all: messages(groups), churn };
}

const memberName = (node: NodeIndex, session: number): string => `#client-${session}#daemon-${node}`;

const message = (group: string): Uint8Array =>
  runRecord(0, [
    {
      message: 0,
      sender: '#client-0#daemon-0',
      groups: [group],
      service: 'agreed',
      selfDiscard: false,
      lengthBytes: PAYLOAD_BYTES,
    },
  ]);

/** Microseconds for each record. */
function timeOf(records: readonly Uint8Array[], give: (record: Uint8Array) => void, daemon: GroupDaemon): number {
  const startMs = performance.now();
  for (let at = 0; at < records.length; at += BATCH) {
    for (let i = at; i < at + BATCH && i < records.length; i++) give(records[i]);
    daemon.deliver();
  }
  return ((performance.now() - startMs) * 1000) / records.length;
}
