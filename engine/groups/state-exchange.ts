/**
 * The exchange of group tables in one regular configuration (ring-protocol.md, 4.3): which daemon sent what, and whether all of it has
 * arrived. A table travels in parts, each the body of one GROUPS record (layout/groups-body.ts).
 */

import type { Configuration } from '../host/configuration.ts';
import type { NodeIndex } from '../wire/ids.ts';
import {
  GROUPS_HEADER_LENGTH,
  GROUPS_LEADER_INCARNATION_OFFSET,
  GROUPS_LEADER_OFFSET,
  GROUPS_PART_COUNT_OFFSET,
  GROUPS_PART_OFFSET,
  GROUPS_RING_SEQ_OFFSET,
} from '../wire/layout/groups-body.ts';
import { readU16, readU32, readU48, writeU16, writeU32, writeU48 } from '../wire/ring-bytes.ts';
import { MalformedTableError } from './byte-stream.ts';
import { type DaemonNames, type DecodedTable, decodeTable } from './table-codec.ts';

/** Longest table of one synced set: 100,000 groups with a million memberships take a tenth of it. */
const MAX_TABLE_BYTES = 128 * 1024 * 1024;

interface Series {
  readonly parts: Uint8Array[];
  readonly partCount: number;
  /** Of every part but the last, which may be shorter. */
  readonly partBytes: number;
}

/** What one GROUPS record did to the exchange. */
export type Receipt = 'stale' | 'refused' | 'stored';

export interface SoundTable {
  readonly decoded: DecodedTable;
  /** Kept when it covers a daemon of our own synced set, whose clients `decoded` leaves out. */
  readonly bytes: Uint8Array | null;
}

type Verdict = 'goes on' | 'sound' | 'overlaps' | 'senseless';

/** Cuts `table` into bodies of at most `bodyBytes`, calling `send` for each; the body is reused between calls. */
export function sendInParts(
  configuration: Configuration,
  table: Uint8Array,
  bodyBytes: number,
  send: (body: Uint8Array) => void,
): void {
  const partBytes = bodyBytes - GROUPS_HEADER_LENGTH;
  const partCount = Math.ceil(table.length / partBytes);
  const body = new Uint8Array(bodyBytes);
  const { ringSeq, leader, leaderIncarnation } = configuration.id;
  writeU32(body, GROUPS_RING_SEQ_OFFSET, ringSeq);
  writeU16(body, GROUPS_LEADER_OFFSET, leader);
  writeU48(body, GROUPS_LEADER_INCARNATION_OFFSET, leaderIncarnation);
  writeU32(body, GROUPS_PART_COUNT_OFFSET, partCount);
  for (let part = 0; part < partCount; part++) {
    const slice = table.subarray(part * partBytes, (part + 1) * partBytes);
    writeU32(body, GROUPS_PART_OFFSET, part);
    body.set(slice, GROUPS_HEADER_LENGTH);
    send(body.subarray(0, GROUPS_HEADER_LENGTH + slice.length));
  }
}

/**
 * Every verdict depends on the ordered bytes, the configuration and the configuration file alone, so all daemons of the
 * configuration come to the same one at the same place of the order. A daemon's own state of its synced set decides only when it
 * is its turn to send.
 */
export class StateExchange {
  readonly configuration: Configuration;
  private readonly daemons: DaemonNames;
  /** The daemons whose tables equal ours: of what is said about them, only the form is checked. */
  private readonly syncedNodes: ReadonlySet<NodeIndex>;
  private readonly members: ReadonlySet<NodeIndex>;
  private readonly seriesOf = new Map<NodeIndex, Series>();
  private readonly soundTables: SoundTable[] = [];
  /** Members that a valid table covers. */
  private readonly covered = new Set<NodeIndex>();
  /** Members whose table was sound: none may send another. */
  private readonly heard = new Set<NodeIndex>();
  /** Members whose tables do not count any more. */
  private readonly refused = new Set<NodeIndex>();
  /** By member: its tables that came behind a sound one that covers some of the same daemons. */
  private readonly overlaps = new Map<NodeIndex, number>();
  /** Something was refused behind the end of the regular configuration, where some members see less than others. */
  private isSpoiled = false;

  /** @param daemons names of all daemons of the configuration file; none, only the form of tables is checked */
  constructor(configuration: Configuration, synced: readonly NodeIndex[], daemons: DaemonNames = []) {
    this.configuration = configuration;
    this.daemons = daemons;
    this.syncedNodes = new Set(synced);
    this.members = new Set(configuration.members.map((member) => member.node));
  }

  /** Nothing is to come: a valid table covers each member, or the member was refused and no other table covers it. */
  get isComplete(): boolean {
    if (this.isSpoiled || this.covered.size + this.refused.size < this.members.size) return false;
    for (const node of this.members) if (!this.covered.has(node) && !this.refused.has(node)) return false;
    return true;
  }

  /** Some but not all parts of its table have come. */
  isReceiving(node: NodeIndex): boolean {
    return this.seriesOf.has(node);
  }

  isRefused(node: NodeIndex): boolean {
    return this.refused.has(node);
  }

  isCovered(node: NodeIndex): boolean {
    return this.covered.has(node);
  }

  /** Sound tables in the order in which they came. */
  tables(): readonly SoundTable[] {
    return this.soundTables;
  }

  /** Members that no valid table covers, in configuration order. */
  uncovered(): NodeIndex[] {
    return this.uncoveredOf(this.members);
  }

  /** Daemons of our synced set that still need a table, in configuration order. */
  unspoken(): NodeIndex[] {
    return this.uncoveredOf(this.syncedNodes);
  }

  /** The daemon that must send that table: the first that was not refused. Null: none is needed, or none can. */
  speaker(): NodeIndex | null {
    return this.unspoken().find((node) => !this.refused.has(node)) ?? null;
  }

  /**
   * One body from `origin`, in its place in the total order.
   * @param isRegular the regular configuration has not ended
   */
  receive(origin: NodeIndex, body: Uint8Array, isRegular = true): Receipt {
    if (body.length >= GROUPS_HEADER_LENGTH && !this.isOfThisConfiguration(body)) return 'stale';
    if (!this.mayStillSend(origin)) return 'refused';
    const verdict = body.length < GROUPS_HEADER_LENGTH ? 'senseless' : this.judge(origin, body);
    if (verdict === 'goes on') return 'stored';
    this.seriesOf.delete(origin);
    if (verdict === 'sound') return 'stored';
    if (verdict === 'senseless') this.refuse(origin, isRegular);
    else this.noteOverlap(origin, isRegular);
    return 'refused';
  }

  /** A record of `origin` that is or may hold a part of its table was dropped before it came here. */
  refuse(origin: NodeIndex, isRegular = true): void {
    if (!this.mayStillSend(origin)) return;
    this.seriesOf.delete(origin);
    if (isRegular) this.refused.add(origin);
    else this.isSpoiled = true;
  }

  private mayStillSend(origin: NodeIndex): boolean {
    return this.members.has(origin) && !this.heard.has(origin) && !this.refused.has(origin);
  }

  /**
   * A correct daemon can be late, when another has covered a part of its set; it then covers the rest. It is late once
   * for each valid table at most.
   */
  private noteOverlap(origin: NodeIndex, isRegular: boolean): void {
    const overlaps = (this.overlaps.get(origin) ?? 0) + 1;
    this.overlaps.set(origin, overlaps);
    if (!isRegular || overlaps > this.soundTables.length) this.refuse(origin, isRegular);
  }

  private judge(origin: NodeIndex, body: Uint8Array): Verdict {
    const partCount = readU32(body, GROUPS_PART_COUNT_OFFSET);
    const part = readU32(body, GROUPS_PART_OFFSET);
    const partBytes = body.length - GROUPS_HEADER_LENGTH;
    let series = this.seriesOf.get(origin);
    if (part === 0 && series === undefined) {
      if (partCount === 0 || partBytes === 0 || (partCount - 1) * partBytes >= MAX_TABLE_BYTES) return 'senseless';
      series = { parts: [], partCount, partBytes };
      this.seriesOf.set(origin, series);
    }
    if (series === undefined || part !== series.parts.length || partCount !== series.partCount) return 'senseless';
    const isLast = part + 1 === partCount;
    if (isLast ? partBytes === 0 || partBytes > series.partBytes : partBytes !== series.partBytes) return 'senseless';
    series.parts.push(body.slice(GROUPS_HEADER_LENGTH));
    return isLast ? this.judgeTable(origin, series) : 'goes on';
  }

  private judgeTable(origin: NodeIndex, series: Series): Verdict {
    const bytes = joinParts(series.parts);
    let decoded: DecodedTable;
    try {
      decoded = decodeTable(bytes, this.syncedNodes, this.daemons);
    } catch (error) {
      if (error instanceof MalformedTableError) return 'senseless';
      throw error;
    }
    const nodes = decoded.daemons.map(({ node }) => node);
    if (!nodes.includes(origin) || !nodes.every((node) => this.members.has(node))) return 'senseless';
    if (nodes.some((node) => this.covered.has(node))) return 'overlaps';
    // Those before it in its set had their turn.
    if (nodes.find((node) => !this.refused.has(node)) !== origin) return 'senseless';
    this.heard.add(origin);
    for (const node of nodes) this.covered.add(node);
    this.soundTables.push({ decoded, bytes: nodes.some((node) => this.syncedNodes.has(node)) ? bytes : null });
    return 'sound';
  }

  private uncoveredOf(nodes: ReadonlySet<NodeIndex>): NodeIndex[] {
    return [...nodes].filter((node) => !this.covered.has(node)).sort((a, b) => a - b);
  }

  private isOfThisConfiguration(body: Uint8Array): boolean {
    const { ringSeq, leader, leaderIncarnation } = this.configuration.id;
    return (
      readU32(body, GROUPS_RING_SEQ_OFFSET) === ringSeq &&
      readU16(body, GROUPS_LEADER_OFFSET) === leader &&
      readU48(body, GROUPS_LEADER_INCARNATION_OFFSET) === leaderIncarnation
    );
  }
}

function joinParts(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
