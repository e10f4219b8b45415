/**
 * The exchange of group tables in one regular configuration (ring-protocol.md, 4.3): who sent what, and whether all of it has
 * arrived. A table travels in parts, each the body of one GROUPS record:
 *
 *     off size field
 *      0   4   ringSeq             )
 *      4   2   leader              ) the configuration the exchange belongs to
 *      6   6   leader incarnation  )
 *     12   4   part, 0-based
 *     16   4   number of parts
 *     20   ..  this part of the table (table-codec)
 */
import type { Configuration } from '../ring/ports.ts';
import type { NodeIndex } from '../wire/ids.ts';
import { GROUPS_HEADER_LENGTH } from '../wire/record.ts';
import { MalformedTableError } from './byte-stream.ts';
import { type DaemonNames, type DecodedTable, decodeTable } from './table-codec.ts';

const UINT32 = 0x1_0000_0000;

/**
 * Longest table of one synced set, a bound on what a broken part count can make us keep: 100,000 groups with a million memberships take a
 * tenth of it.
 */
const MAX_TABLE_BYTES = 128 * 1024 * 1024;

interface Series {
  readonly parts: Uint8Array[];
  readonly partCount: number;
  lengthBytes: number;
  /** Set when the last part arrived and made sense. */
  table: DecodedTable | null;
}

/** What one GROUPS record did to the exchange. */
export type Receipt = 'stale' | 'malformed' | 'stored' | 'complete';

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
  const view = new DataView(body.buffer);
  const { ringSeq, leader, leaderIncarnation } = configuration.id;
  view.setUint32(0, ringSeq, true);
  view.setUint16(4, leader, true);
  view.setUint32(6, leaderIncarnation % UINT32, true);
  view.setUint16(10, Math.floor(leaderIncarnation / UINT32), true);
  view.setUint32(16, partCount, true);
  for (let part = 0; part < partCount; part++) {
    const slice = table.subarray(part * partBytes, (part + 1) * partBytes);
    view.setUint32(12, part, true);
    body.set(slice, GROUPS_HEADER_LENGTH);
    send(body.subarray(0, GROUPS_HEADER_LENGTH + slice.length));
  }
}

export class StateExchange {
  readonly configuration: Configuration;
  private readonly daemons: DaemonNames;
  /** The daemons whose tables equal ours; a series of one of them tells us nothing new. */
  private readonly syncedNodes: ReadonlySet<NodeIndex>;
  private readonly seriesOf = new Map<NodeIndex, Series>();
  /** Members of the configuration whose table has arrived in full. */
  private readonly arrived = new Set<NodeIndex>();
  /** Members that sent what made no sense. Nobody waits for them: one faulty daemon would stop the clients of all. */
  private readonly failed = new Set<NodeIndex>();

  /** @param daemons names of all daemons of the configuration file; none, only the form of tables is checked */
  constructor(configuration: Configuration, synced: readonly NodeIndex[], daemons: DaemonNames = []) {
    this.configuration = configuration;
    this.daemons = daemons;
    this.syncedNodes = new Set(synced);
  }

  get isComplete(): boolean {
    return this.configuration.members.every(({ node }) => this.arrived.has(node) || this.failed.has(node));
  }

  /** The table of our own synced set as it came back to us in the order, or null when it has not in full. */
  ownTable(): DecodedTable | null {
    for (const { table } of this.seriesOf.values()) if (table !== null && this.isOwn(table)) return table;
    return null;
  }

  /** The other tables that arrived in full. */
  foreignTables(): DecodedTable[] {
    const tables: DecodedTable[] = [];
    for (const { table } of this.seriesOf.values()) if (table !== null && !this.isOwn(table)) tables.push(table);
    return tables;
  }

  /** A record of `origin` that was to be a part of its table made no sense, at its place in the total order. */
  refuse(origin: NodeIndex): void {
    this.failed.add(origin);
  }

  /** One body from `origin`, in its place in the total order. */
  receive(origin: NodeIndex, body: Uint8Array): Receipt {
    const receipt = this.take(origin, body);
    if (receipt === 'malformed') this.refuse(origin);
    return receipt;
  }

  private take(origin: NodeIndex, body: Uint8Array): Receipt {
    if (body.length < GROUPS_HEADER_LENGTH) return 'malformed';
    const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
    if (!this.isOfThisConfiguration(view)) return 'stale';
    const partCount = view.getUint32(16, true);
    const part = view.getUint32(12, true);
    const series = this.seriesAt(origin, part, partCount);
    if (series === null) return 'malformed';
    series.parts.push(body.slice(GROUPS_HEADER_LENGTH));
    series.lengthBytes += body.length - GROUPS_HEADER_LENGTH;
    if (series.lengthBytes > MAX_TABLE_BYTES) {
      this.seriesOf.delete(origin);
      return 'malformed';
    }
    if (part + 1 < partCount) return 'stored';
    const receipt = this.finishSeries(series);
    // What made no sense spoils nothing: while others are awaited, its daemon may send its table anew.
    if (receipt === 'malformed') this.seriesOf.delete(origin);
    return receipt;
  }

  /** The series that `part` goes on; its first part begins a new one, unless the one before it is complete. Null when it fits none. */
  private seriesAt(origin: NodeIndex, part: number, partCount: number): Series | null {
    const known = this.seriesOf.get(origin);
    if (part >= partCount || (known !== undefined && known.table !== null)) return null;
    if (part > 0)
      return known !== undefined && known.parts.length === part && known.partCount === partCount ? known : null;
    const series: Series = { parts: [], partCount, lengthBytes: 0, table: null };
    this.seriesOf.set(origin, series);
    return series;
  }

  private finishSeries(series: Series): Receipt {
    try {
      const table = decodeTable(joinParts(series.parts), this.syncedNodes, this.daemons);
      if (!this.mayStandFor(table)) return 'malformed';
      series.table = table;
      for (const { node } of table.daemons) this.arrived.add(node);
      return this.isComplete ? 'complete' : 'stored';
    } catch (error) {
      if (error instanceof MalformedTableError) return 'malformed';
      throw error;
    }
  }

  /** A table speaks for members of the configuration nobody has spoken for, either all of our synced set or none of it. */
  private mayStandFor(table: DecodedTable): boolean {
    const members = new Set(this.configuration.members.map((member) => member.node));
    const nodes = new Set(table.daemons.map(({ node }) => node));
    if (nodes.size === 0 || nodes.size !== table.daemons.length) return false;
    let own = 0;
    for (const node of nodes) {
      if (!members.has(node) || this.arrived.has(node)) return false;
      if (this.syncedNodes.has(node)) own++;
    }
    return own === 0 || (own === nodes.size && own === this.syncedNodes.size);
  }

  /** Tables speak for all of our synced set or none of it, so one daemon tells. */
  private isOwn(table: DecodedTable): boolean {
    return this.syncedNodes.has(table.daemons[0]!.node);
  }

  private isOfThisConfiguration(view: DataView): boolean {
    const { ringSeq, leader, leaderIncarnation } = this.configuration.id;
    return (
      view.getUint32(0, true) === ringSeq &&
      view.getUint16(4, true) === leader &&
      view.getUint16(10, true) * UINT32 + view.getUint32(6, true) === leaderIncarnation
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
