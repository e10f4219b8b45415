import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteReader, ByteWriter, MalformedTableError } from '../../engine/groups/byte-stream.ts';
import { GroupMember } from '../../engine/groups/group.ts';
import { GroupTable } from '../../engine/groups/group-table.ts';
import { StateExchange, sendInParts } from '../../engine/groups/state-exchange.ts';
import { decodeTable, encodeTable } from '../../engine/groups/table-codec.ts';
import { incarnation, nodeIndex } from '../../engine/wire/ids.ts';
import {
  EXCHANGE_TABLE_DAEMON_COUNT_OFFSET,
  EXCHANGE_TABLE_HASH_HIGH_OFFSET,
  EXCHANGE_TABLE_HASH_LOW_OFFSET,
  EXCHANGE_TABLE_HEADER_LENGTH,
} from '../../engine/wire/layout/exchange-table.ts';
import {
  TABLE_GROUP_CHANGED_OFFSET,
  TABLE_GROUP_HEADER_LENGTH,
  TABLE_GROUP_INDEX_OFFSET,
  TABLE_GROUP_PROC_ID_OFFSET,
  TABLE_GROUP_TIME_OFFSET,
} from '../../engine/wire/layout/table-group.ts';
import {
  TABLE_MEMBER_HEADER_LENGTH,
  TABLE_MEMBER_NAME_LENGTH_OFFSET,
  TABLE_MEMBER_NODE_OFFSET,
  TABLE_MEMBER_SESSION_OFFSET,
} from '../../engine/wire/layout/table-member.ts';
import {
  TABLE_STAMP_KIND_OFFSET,
  TABLE_STAMP_LEADER_INCARNATION_OFFSET,
  TABLE_STAMP_LEADER_OFFSET,
  TABLE_STAMP_LENGTH,
  TABLE_STAMP_NODE_OFFSET,
  TABLE_STAMP_RING_SEQ_OFFSET,
} from '../../engine/wire/layout/table-stamp.ts';
import { configuration, sessionHandle } from './groups-fixtures.ts';

const REGULAR = configuration('regular', 0xffff_fff0, [0, 1, 2]);
const STAMP = { ...configuration('transitional', 7, [2]).id, leaderIncarnation: incarnation(2 ** 48 - 1) };

/** Clients of the daemons `nodes`, some of them in two groups. */
function tableOf(nodes: readonly number[]): GroupTable {
  const table = new GroupTable(3);
  const [room, zone] = [table.create('room'), table.create('z'.repeat(31))];
  room.setId(-1, 2 ** 31 - 1, 5);
  zone.setId(0x7f00_0001, -5, 1);
  zone.isChanged = true;
  for (const node of nodes) {
    for (let i = 0; i < 3; i++) {
      const member = new GroupMember(
        nodeIndex(node),
        sessionHandle(0xffff_ff00 + i),
        `#u${9 - i}#daemon${node}`,
        false,
      );
      room.insert(member);
      if (i > 0) zone.insert(member);
      table.remember(member);
    }
  }
  return table;
}

const stamped = (nodes: readonly number[]) => nodes.map((node) => ({ node: nodeIndex(node), configuration: STAMP }));
const encoded = (nodes: readonly number[]): Uint8Array => encodeTable(tableOf(nodes), stamped(nodes)).slice();

function bodiesOf(table: Uint8Array, bodyBytes = 64): Uint8Array[] {
  const bodies: Uint8Array[] = [];
  sendInParts(REGULAR, table, bodyBytes, (body) => bodies.push(body.slice()));
  return bodies;
}

describe('group table on the wire', () => {
  it('is decoded as it was encoded', () => {
    const decoded = decodeTable(encoded([1, 2]));
    expect(decoded.daemons).toEqual(stamped([1, 2]));
    const copy = new GroupTable(3);
    copy.merge(decoded);
    const original = tableOf([1, 2]);
    expect(copy.hash()).toEqual(original.hash());
    expect(copy.hash().equals(decoded.hashHigh, decoded.hashLow)).toBe(true);
    expect(copy.group('room')!.memberNames.slice(0, 192)).toEqual(original.group('room')!.memberNames.slice(0, 192));
    expect(copy.group('z'.repeat(31))).toMatchObject({ isChanged: true, membershipTime: -5, index: 1 });
    expect(copy.member(nodeIndex(2), sessionHandle(0xffff_ff01))!.groups.size).toBe(2);
  });

  it('has the layouts of docs/protocol/', () => {
    const bytes = encoded([1, 2]);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const nameAt = (at: number): string => Buffer.from(bytes).toString('latin1', at + 1, at + 1 + bytes[at]!);
    const hash = tableOf([1, 2]).hash();
    expect(
      hash.equals(
        view.getUint32(EXCHANGE_TABLE_HASH_HIGH_OFFSET, true),
        view.getUint32(EXCHANGE_TABLE_HASH_LOW_OFFSET, true),
      ),
    ).toBe(true);
    expect(view.getUint16(EXCHANGE_TABLE_DAEMON_COUNT_OFFSET, true)).toBe(2);
    let at = EXCHANGE_TABLE_HEADER_LENGTH;
    for (const node of [1, 2]) {
      expect(view.getUint16(at + TABLE_STAMP_NODE_OFFSET, true)).toBe(node);
      expect(bytes[at + TABLE_STAMP_KIND_OFFSET]).toBe(1);
      expect(view.getUint32(at + TABLE_STAMP_RING_SEQ_OFFSET, true)).toBe(7);
      expect(view.getUint16(at + TABLE_STAMP_LEADER_OFFSET, true)).toBe(2);
      expect([...bytes.subarray(at + TABLE_STAMP_LEADER_INCARNATION_OFFSET, at + TABLE_STAMP_LENGTH)]).toEqual(
        Array(6).fill(255),
      );
      at += TABLE_STAMP_LENGTH;
    }
    const members = view.getUint32(at, true);
    at += 4;
    const names: string[] = [];
    for (let i = 0; i < members; i++) {
      expect(view.getUint16(at + TABLE_MEMBER_NODE_OFFSET, true)).toBe(i < 3 ? 1 : 2);
      expect(view.getUint32(at + TABLE_MEMBER_SESSION_OFFSET, true)).toBe(0xffff_ff02 - (i % 3));
      names.push(nameAt(at + TABLE_MEMBER_NAME_LENGTH_OFFSET));
      at += TABLE_MEMBER_HEADER_LENGTH + bytes[at + TABLE_MEMBER_NAME_LENGTH_OFFSET]!;
    }
    expect(names).toEqual(['#u7#daemon1', '#u8#daemon1', '#u9#daemon1', '#u7#daemon2', '#u8#daemon2', '#u9#daemon2']);
    expect(view.getUint32(at, true)).toBe(2);
    at += 4;
    const groups = [
      { name: 'room', ids: [-1, 2 ** 31 - 1, 5], changed: 0, differences: [6, 1, 1, 1, 1, 1, 1] },
      { name: 'z'.repeat(31), ids: [0x7f00_0001, -5, 1], changed: 1, differences: [4, 1, 1, 2, 1] },
    ];
    for (const { name, ids, changed, differences } of groups) {
      expect(nameAt(at)).toBe(name);
      at += 1 + name.length;
      const offsets = [TABLE_GROUP_PROC_ID_OFFSET, TABLE_GROUP_TIME_OFFSET, TABLE_GROUP_INDEX_OFFSET];
      expect(offsets.map((offset) => view.getInt32(at + offset, true))).toEqual(ids);
      expect(bytes[at + TABLE_GROUP_CHANGED_OFFSET]).toBe(changed);
      at += TABLE_GROUP_HEADER_LENGTH;
      expect([...bytes.subarray(at, at + differences.length)]).toEqual(differences);
      at += differences.length;
    }
    expect(at).toBe(bytes.length);
  });

  it('has the same bytes whatever the history of the table', () => {
    expect(encodeTable(tableOf([2, 1]), stamped([1, 2]))).toEqual(encoded([1, 2]));
  });

  it('keeps numbers of all sizes', () => {
    const out = new ByteWriter();
    const varints = [0, 1, 127, 128, 16_383, 16_384, 2 ** 28 - 1];
    out.u8(255);
    out.u16(65_535);
    out.u32(-1);
    out.u48(2 ** 48 - 2);
    for (const value of varints) out.varint(value);
    const from = new ByteReader(out.written());
    expect([from.u8(), from.u16(), from.i32(), from.u48()]).toEqual([255, 65_535, -1, 2 ** 48 - 2]);
    expect(varints.map(() => from.varint())).toEqual(varints);
    expect(from.isAtEnd).toBe(true);
    expect(() => from.u8()).toThrow(MalformedTableError);
  });

  it('is refused as a whole when it is cut short or has extra bytes', () => {
    const whole = encoded([1, 2]);
    for (let length = 0; length < whole.length; length++) {
      expect(() => decodeTable(whole.slice(0, length)), `${length} bytes`).toThrow(MalformedTableError);
    }
    expect(() => decodeTable(new Uint8Array([...whole, 0]))).toThrow('left over');
  });

  it('throws only MalformedTableError on damaged bytes', () => {
    const whole = encoded([1, 2]);
    const damage = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(damage, (changes) => {
        const damaged = whole.slice();
        for (const [at, value] of changes) damaged[at] = value;
        try {
          decodeTable(damaged);
        } catch (error) {
          expect(error).toBeInstanceOf(MalformedTableError);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe('state exchange', () => {
  it('is complete when the received tables cover every member, in any order of origins', () => {
    const exchange = new StateExchange(REGULAR, [nodeIndex(0)]);
    const [own, others] = [bodiesOf(encoded([0])), bodiesOf(encoded([1, 2]))];
    expect(others.length).toBeGreaterThan(3);
    const receipts = others.map((body) => exchange.receive(nodeIndex(1), body));
    expect(exchange.tables().map(({ decoded }) => decoded.members.length)).toEqual([6]);
    receipts.push(...own.map((body) => exchange.receive(nodeIndex(0), body)));
    expect(exchange.isComplete).toBe(true);
    expect(new Set(receipts)).toEqual(new Set(['stored']));
    expect(exchange.uncovered()).toEqual([]);
  });

  it('keeps every body within its length', () => {
    const table = encoded([0, 1, 2]);
    for (const bodyBytes of [21, 22, 64, table.length + 19, table.length + 20, 4096]) {
      const lengths = bodiesOf(table, bodyBytes).map((body) => body.length);
      expect(Math.max(...lengths)).toBeLessThanOrEqual(bodyBytes);
      expect(lengths).toHaveLength(Math.ceil(table.length / (bodyBytes - 20)));
    }
  });

  it('calls bodies of other configurations stale, and refuses parts sent out of turn', () => {
    const bodies = bodiesOf(encoded([1, 2]));
    const other = new StateExchange(configuration('regular', 0xffff_fff1, [0, 1, 2]), [nodeIndex(0)]);
    expect(other.receive(nodeIndex(1), bodies[0]!)).toBe('stale');
    expect(other.isRefused(nodeIndex(1))).toBe(false);
    for (const wrong of [bodies[1]!, bodies[0]!.subarray(0, 19), bodies[0]!.subarray(0, 20)]) {
      const exchange = new StateExchange(REGULAR, [nodeIndex(0)]);
      expect(exchange.receive(nodeIndex(1), wrong)).toBe('refused');
      expect(exchange.isRefused(nodeIndex(1))).toBe(true);
      expect(exchange.receive(nodeIndex(1), bodies[0]!)).toBe('refused');
    }
    const sound = new StateExchange(REGULAR, [nodeIndex(0)]);
    expect(bodies.map((body) => sound.receive(nodeIndex(1), body)).includes('refused')).toBe(false);
    expect(sound.receive(nodeIndex(1), bodies[0]!)).toBe('refused');
    expect(sound.tables()).toHaveLength(1);
  });
});
