/** Takes over what the sound tables of a state exchange say (ring-protocol.md, 4.3). */
import type { NodeIndex } from '../wire/ids.ts';
import type { GroupTable } from './group-table.ts';
import type { SoundTable } from './state-exchange.ts';
import { type DaemonNames, decodeTable } from './table-codec.ts';

export interface Known {
  readonly self: NodeIndex;
  /** The daemons whose clients are in `table`. */
  readonly synced: readonly NodeIndex[];
  readonly table: GroupTable;
  /** Of the configuration file; none, when only the form of tables is checked. */
  readonly names: DaemonNames;
}

/**
 * Sound tables of the own synced set are not read a second time, unless their hash says that they are not what is known. Then the table
 * that all daemons have counts, except for the clients of this daemon itself, whose state it has first-hand.
 * @returns the first daemon of the own synced set in each table that told of it what is not so
 */
export function mergeTables(tables: readonly SoundTable[], { self, synced, table, names }: Known): NodeIndex[] {
  const own = new Set(synced);
  const ofOwn = tables.filter(({ decoded }) => decoded.daemons.some(({ node }) => own.has(node)));
  const different = ofOwn.filter(({ decoded }) => !isKnown(decoded.daemons, decoded.hashHigh, decoded.hashLow));
  for (const sound of tables)
    if (different.includes(sound)) replace(sound);
    else table.merge(sound.decoded);
  if (ofOwn.length > 1) table.flagSplit(tableOfNode(tables));
  return different.map(({ decoded }) => decoded.daemons.find(({ node }) => own.has(node))!.node);

  function isKnown(daemons: SoundTable['decoded']['daemons'], hashHigh: number, hashLow: number): boolean {
    if (daemons.some(({ node }) => !own.has(node))) return false;
    const nodes = daemons.length === own.size ? null : new Set(daemons.map(({ node }) => node));
    return table.hash(nodes).equals(hashHigh, hashLow);
  }

  function replace({ bytes, decoded }: SoundTable): void {
    const isDropped = new Uint8Array(table.nodeCount);
    for (const { node } of decoded.daemons) if (node !== self) isDropped[node] = 1;
    table.dropNodes(isDropped, false);
    table.merge(decodeTable(bytes!, new Set([self]), names));
  }
}

function tableOfNode(tables: readonly SoundTable[]): Map<NodeIndex, object> {
  const tableOf = new Map<NodeIndex, object>();
  for (const { decoded } of tables) for (const { node } of decoded.daemons) tableOf.set(node, decoded);
  return tableOf;
}
