/** From the 32-byte name field of a run to the members of the group. */

import { readName, writeName } from '../../../engine/wire/frame.ts';
import { NAME_FIELD_LENGTH } from '../../../engine/wire/limits.ts';
import { hashNameWords, nameWords } from '../../../engine/wire/name-hash.ts';
import { NameTable } from '../../../workers/delivery/name-table.ts';
import type { MicroFamily, MicroRow } from '../micro-row.ts';
import { createSession } from '../sessions.ts';

const LOOKUPS = 1024;

interface Lookups {
  readonly fields: Uint8Array;
  readonly view: DataView;
  readonly hashes: Int32Array;
}

const nameOf = (group: number): string => `bench.group.${group}`;

/** Targets in random order, never the same twice in a row (except with a single group). */
function makeLookups(groups: number): Lookups {
  const fields = new Uint8Array(LOOKUPS * NAME_FIELD_LENGTH);
  const hashes = new Int32Array(LOOKUPS);
  for (let i = 0; i < LOOKUPS; i++) {
    const name = nameOf((i * 7919) % groups);
    writeName(fields, i * NAME_FIELD_LENGTH, name);
    hashes[i] = hashNameWords(nameWords(name), 0);
  }
  return { fields, view: new DataView(fields.buffer), hashes };
}

function tableOf(groups: number): NameTable {
  const table = new NameTable();
  const session = createSession(0);
  for (let group = 0; group < groups; group++) table.add(nameWords(nameOf(group)), session);
  return table;
}

function missing(): never {
  throw new Error('a group was not found');
}

function byHash(groups: number): MicroRow {
  const { view, hashes } = makeLookups(groups);
  const table = tableOf(groups);
  return {
    kind: 'loop',
    title: `${groups.toLocaleString('en')} groups, hash known`,
    operations: LOOKUPS,
    bytesPerOperation: null,
    decides: true,
    run() {
      for (let i = 0; i < LOOKUPS; i++) {
        if (table.find(view, i * NAME_FIELD_LENGTH, hashes[i]) === null) missing();
      }
    },
  };
}

function byField(groups: number): MicroRow {
  const { view } = makeLookups(groups);
  const table = tableOf(groups);
  return {
    kind: 'loop',
    title: `${groups.toLocaleString('en')} groups, hash computed (several targets)`,
    operations: LOOKUPS,
    bytesPerOperation: null,
    run() {
      for (let i = 0; i < LOOKUPS; i++) if (table.findField(view, i * NAME_FIELD_LENGTH) === null) missing();
    },
  };
}

/** For comparison: a string for each message. */
function byString(groups: number): MicroRow {
  const { fields } = makeLookups(groups);
  const table = new Map(Array.from({ length: groups }, (_, group) => [nameOf(group), group]));
  return {
    kind: 'loop',
    title: `${groups.toLocaleString('en')} groups, string key (for comparison)`,
    operations: LOOKUPS,
    bytesPerOperation: null,
    decides: true,
    run() {
      for (let i = 0; i < LOOKUPS; i++) if (!table.has(readName(fields, i * NAME_FIELD_LENGTH))) missing();
    },
  };
}

export const groupLookupFamily: MicroFamily = {
  id: 'group-lookup',
  title: 'group lookup, per lookup',
  prepare: () => ({ rows: [byHash(1), byHash(1000), byHash(10_000), byField(1000), byString(1000)] }),
};
