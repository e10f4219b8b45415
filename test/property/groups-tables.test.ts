/** Group tables of a state exchange with every field changed: they are refused by one typed error, or sound. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteWriter, MalformedTableError } from '../../engine/groups/byte-stream.ts';
import { GroupTable } from '../../engine/groups/group-table.ts';
import {
  decodeTable,
  encodeTable,
  MAX_TABLE_MEMBERS,
  MAX_TABLE_MEMBERSHIPS,
  whatIsUnsound,
} from '../../engine/groups/table-codec.ts';
import type { NodeIndex } from '../../engine/wire/ids.ts';

const NAMES = ['n0', 'n1', 'n2', 'n3'];
const NOBODY: ReadonlySet<NodeIndex> = new Set();

interface DaemonField {
  node: number;
  kind: number;
  leader: number;
}
interface MemberField {
  node: number;
  session: number;
  name: string;
}
interface GroupField {
  name: string;
  changed: number;
  count: number;
  steps: number[];
}
/** Each field of a table as it is written, sound or not. */
interface Fields {
  daemonCount: number;
  daemons: DaemonField[];
  memberCount: number;
  members: MemberField[];
  groupCount: number;
  groups: GroupField[];
  behind: number[];
}

/** Daemons 1 and 2 with two clients each; `both` has all of them. */
function soundFields(): Fields {
  const members = [1, 2].flatMap((node) =>
    ['ann', 'bob'].map((user, i) => ({ node, session: 7 + i, name: `#${user}#n${node}` })),
  );
  return {
    daemonCount: 2,
    daemons: [1, 2].map((node) => ({ node, kind: node % 2, leader: 1 })),
    memberCount: 4,
    members,
    groupCount: 2,
    groups: [
      { name: 'both', changed: 0, count: 4, steps: [1, 1, 1, 1] },
      { name: 'some', changed: 1, count: 2, steps: [2, 2] },
    ],
    behind: [],
  };
}

/** Numbers above 28 bits are written as they come, which no encoder does. */
function varint(out: ByteWriter, value: number): void {
  if (value < 2 ** 28) out.varint(value);
  else for (const byte of [0xff, 0xff, 0xff, 0xff, 0x7f]) out.u8(byte);
}

function write(fields: Fields): Uint8Array {
  const out = new ByteWriter();
  out.u32(1);
  out.u32(2);
  out.u16(fields.daemonCount);
  for (const { node, kind, leader } of fields.daemons) {
    out.u16(node);
    out.u8(kind);
    out.u32(77);
    out.u16(leader);
    out.u48(2 ** 40);
  }
  out.u32(fields.memberCount);
  for (const { node, session, name } of fields.members) {
    out.u16(node);
    out.u32(session);
    out.text(name);
  }
  out.u32(fields.groupCount);
  for (const { name, changed, count, steps } of fields.groups) {
    out.text(name);
    for (const part of [-1, 2 ** 31 - 1, 5]) out.u32(part);
    out.u8(changed);
    varint(out, count);
    for (const step of steps) varint(out, step);
  }
  for (const byte of fields.behind) out.u8(byte);
  return out.written().slice();
}

type Change = (fields: Fields) => void;

const CHANGES: Readonly<Record<string, Change>> = {
  'no daemons': (f) => {
    f.daemonCount = 0;
  },
  'more daemons than there are bytes': (f) => {
    f.daemonCount = 0xffff;
  },
  'a daemon less': (f) => {
    f.daemonCount = 1;
  },
  'a daemon that is not in the file': (f) => {
    f.daemons[1]!.node = 4;
  },
  'a daemon twice': (f) => {
    f.daemons[1]!.node = 1;
  },
  'daemons out of order': (f) => {
    f.daemons.reverse();
  },
  'a leader that is not in the file': (f) => {
    f.daemons[0]!.leader = 0xffff;
  },
  'a configuration of no kind': (f) => {
    f.daemons[0]!.kind = 2;
  },
  'more members than there are bytes': (f) => {
    f.memberCount = MAX_TABLE_MEMBERS;
  },
  'more members than a table may have': (f) => {
    f.memberCount = 0xffff_ffff;
  },
  'a member less': (f) => {
    f.memberCount = 3;
  },
  'a member of a daemon that is not in the set': (f) => {
    f.members[0]!.node = 0;
    f.members[0]!.name = '#ann#n0';
  },
  'a member with the name of another daemon': (f) => {
    f.members[0]!.name = '#ann#n2';
  },
  'a member without a private name': (f) => {
    f.members[0]!.name = 'ann';
  },
  'a member without a name': (f) => {
    f.members[0]!.name = '';
  },
  'a member with a name that is too long': (f) => {
    f.members[0]!.name = `#${'a'.repeat(200)}#n1`;
  },
  'members out of order': (f) => {
    f.members.reverse();
  },
  'a member twice': (f) => {
    f.members[1] = { ...f.members[0]! };
  },
  'a session twice': (f) => {
    f.members[1]!.session = 7;
  },
  'more groups than there are bytes': (f) => {
    f.groupCount = 0xffff_ffff;
  },
  'a group less': (f) => {
    f.groupCount = 1;
  },
  'no groups': (f) => {
    f.groupCount = 0;
    f.groups = [];
  },
  'a group without a name': (f) => {
    f.groups[0]!.name = '';
  },
  'a group with a private name': (f) => {
    f.groups[0]!.name = '#ann#n1';
  },
  'a group with a name that is too long': (f) => {
    f.groups[0]!.name = 'a'.repeat(32);
  },
  'a group with a control character': (f) => {
    f.groups[0]!.name = 'a\u0007';
  },
  'groups out of order': (f) => {
    f.groups.reverse();
  },
  'a group twice': (f) => {
    f.groups[1]!.name = 'both';
  },
  'changed that is neither 0 nor 1': (f) => {
    f.groups[0]!.changed = 2;
  },
  'a group without members': (f) => {
    f.groups[1] = { name: 'some', changed: 0, count: 0, steps: [] };
  },
  'a group with more members than there are bytes': (f) => {
    f.groups[1]!.count = 2 ** 28 - 1;
  },
  'a group with more members than a table may have': (f) => {
    f.groups[1]!.count = MAX_TABLE_MEMBERSHIPS + 1;
  },
  'a count with more than 28 bits': (f) => {
    f.groups[1]!.count = 2 ** 28;
  },
  'a member of a group that is not there': (f) => {
    f.groups[1]!.steps = [2, 3];
  },
  'a member of a group twice': (f) => {
    f.groups[1]!.steps = [2, 0];
  },
  'a step with more than 28 bits': (f) => {
    f.groups[1]!.steps = [2, 2 ** 28];
  },
  'a member in no group': (f) => {
    f.groups[0] = { name: 'both', changed: 0, count: 3, steps: [1, 1, 1] };
    f.groups[1] = { name: 'some', changed: 0, count: 1, steps: [2] };
  },
  'bytes behind the last group': (f) => {
    f.behind = [0];
  },
};

const faultOf = (bytes: Uint8Array): string | null => {
  try {
    decodeTable(bytes, NOBODY, NAMES);
    return null;
  } catch (error) {
    expect(error).toBeInstanceOf(MalformedTableError);
    return (error as Error).message;
  }
};

describe('group table from another daemon', () => {
  it('is valid as these tests write it', () => {
    expect(faultOf(write(soundFields()))).toBeNull();
  });

  it.each(Object.entries(CHANGES))('is refused with %s', (_what, change) => {
    const fields = soundFields();
    change(fields);
    const bytes = write(fields);
    expect(faultOf(bytes)).not.toBeNull();
    // The check is equally strict whether or not these daemons are known.
    expect(() => decodeTable(bytes, new Set([1, 2] as NodeIndex[]), NAMES)).toThrow(MalformedTableError);
  });

  it('has a fault of its own only when it is not too large', () => {
    const fields = soundFields();
    fields.memberCount = MAX_TABLE_MEMBERS + 1;
    expect(whatIsUnsound(write(fields), NAMES)).toBeNull();
    fields.memberCount = 3;
    expect(whatIsUnsound(write(fields), NAMES)).toMatch(/./);
  });

  it('is refused wherever it is cut', () => {
    const whole = write(soundFields());
    for (let length = 0; length < whole.length; length++) expect(faultOf(whole.subarray(0, length))).not.toBeNull();
  });

  it('of any bytes gives no other error, and a valid one can be adopted, sent and read again', () => {
    const whole = write(soundFields());
    const damage = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.integer({ min: 0, max: 255 })), { maxLength: 5 });
    const any = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      damage.map((changes) => {
        const bytes = whole.slice();
        for (const [at, value] of changes) bytes[at] = value;
        return bytes;
      }),
    );
    fc.assert(
      fc.property(any, (bytes) => {
        if (faultOf(bytes) !== null) return;
        const decoded = decodeTable(bytes, NOBODY, NAMES);
        const table = new GroupTable(NAMES.length);
        table.merge(decoded);
        const copy = new GroupTable(NAMES.length);
        copy.merge(decodeTable(encodeTable(table, decoded.daemons), NOBODY, NAMES));
        expect(copy.hash()).toEqual(table.hash());
      }),
      { numRuns: 5_000 },
    );
  });

  it('needs no more memory than its bytes justify, whatever counts it claims', () => {
    const greedy = (['daemonCount', 'memberCount', 'groupCount'] as const).map((count) => {
      const fields = soundFields();
      fields[count] = count === 'daemonCount' ? 0xffff : MAX_TABLE_MEMBERS;
      return write(fields);
    });
    for (const bytes of greedy) faultOf(bytes);
    const before = process.memoryUsage();
    for (let i = 0; i < 500; i++) for (const bytes of greedy) faultOf(bytes);
    const after = process.memoryUsage();
    expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(16 * 1024 * 1024);
    expect(after.rss - before.rss).toBeLessThan(64 * 1024 * 1024);
  });
});
