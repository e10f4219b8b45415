/**
 * The layouts of all packets in three places, which must agree: the constants of engine/wire/layout/, the diagrams in their comments,
 * and the diagrams of docs/protocol/.
 */
import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { MonitorType } from '../../engine/wire/monitor-header.ts';
import { RecordKind } from '../../engine/wire/record.ts';
import { PacketType } from '../../engine/wire/ring-header.ts';
import { productFiles, ROOT, read, testFiles } from './support/source-files.ts';

const FOLDER = 'engine/wire/layout';
const layouts = readdirSync(`${ROOT}/${FOLDER}`).filter((name) => name.endsWith('.ts'));
const pages = readdirSync(`${ROOT}/docs/protocol`).map((name) => read(`docs/protocol/${name}`));

/** Used only between the threads of one daemon, so no page of docs/protocol/ has them. */
const LOCAL: readonly string[] = ['register-record.ts', 'windows-record.ts', 'members-record.ts', 'command-ticket.ts'];

/** Layouts after the header of each packet; none when the header is the whole packet. */
const OF_PACKETS: Readonly<Record<keyof typeof PacketType, readonly string[]>> = {
  Data: ['data-packet.ts', 'record-header.ts'],
  Token: ['token-packet.ts', 'token-request.ts'],
  Join: ['control-header.ts', 'join-body.ts', 'ring-id.ts', 'ring-member.ts'],
  Commit: ['control-header.ts', 'commit-body.ts', 'commit-member.ts', 'commit-block.ts'],
  Probe: ['control-header.ts', 'probe-body.ts'],
  ProbeAck: ['control-header.ts', 'probe-body.ts'],
  Hurry: [],
  Leave: [],
  Merge: ['control-header.ts', 'probe-body.ts'],
  SizeProbe: [],
  SizeAck: [],
  SizeReady: [],
  SizeWithdrawn: [],
  Greeting: ['greeting-packet.ts'],
  IncarnationRefused: ['control-header.ts', 'incarnation-refused-body.ts'],
};
const OF_RECORDS: Readonly<Record<keyof typeof RecordKind, readonly string[]>> = {
  Padding: [],
  Run: ['frame-header.ts'],
  Join: ['join-record.ts'],
  Leave: ['join-record.ts'],
  Disconnect: ['disconnect-record.ts'],
  Groups: ['groups-body.ts', 'exchange-table.ts', 'table-stamp.ts', 'table-member.ts', 'table-group.ts'],
  Drain: ['drain-record.ts'],
  Register: ['register-record.ts'],
  Unregister: ['register-record.ts'],
  Datagram: [],
  Windows: ['windows-record.ts'],
  Members: ['members-record.ts'],
};
const OF_MONITOR: Readonly<Record<keyof typeof MonitorType, readonly string[]>> = {
  Status: ['status-report.ts', 'status-extension.ts', 'status-release.ts'],
  Partition: ['partition-command.ts'],
  FlowControl: ['flow-command.ts', 'flow-row.ts'],
  Reload: [],
  Answer: ['command-answer.ts'],
};
const OF_CLIENTS = [
  ...[
    'connect-request.ts',
    'auth-list.ts',
    'auth-choice.ts',
    'password-request.ts',
    'scram-request.ts',
    'scram-answer.ts',
    'accept.ts',
    'frame-header.ts',
  ],
  ...[
    'reject-frame.ts',
    'view-body.ts',
    'view-id.ts',
    'vs-set.ts',
    'drop-notice.ts',
    'drain-notice.ts',
    'vulnerable-suffix.ts',
  ],
];
const COMMON = [
  ...['ring-header.ts', 'crc-trailer.ts', 'seal-trailer.ts', 'seal-nonce.ts', 'key-info.ts'],
  ...['monitor-header.ts', 'command-trailer.ts', 'command-ticket.ts'],
];

interface Field {
  readonly name: string;
  readonly offset: number;
  /** Of variable length; the last field of its packet. */
  readonly isVariable: boolean;
  readonly isUnused: boolean;
}

/** Columns of a diagram per byte. */
const BYTE_COLUMNS = 16;

/** Fields of a diagram, and where it ends. */
function parseDiagram(diagram: string): { readonly fields: readonly Field[]; readonly end: number } {
  const fields: Field[] = [];
  let end = 0;
  for (const line of diagram.split('\n')) {
    const row = /^\|.* (\d+)$/.exec(line);
    if (row === null) continue;
    const bars = [...line].flatMap((character, i) => (character === '|' ? [i] : []));
    for (const [i, bar] of bars.slice(0, -1).entries()) {
      const label = line.slice(bar + 1, bars[i + 1]).trim();
      end = Math.max(end, Number(row[1]) + bars[i + 1]! / BYTE_COLUMNS);
      if (label === '') continue;
      const size = / \((\d+) bytes\b/.exec(label);
      if (size !== null) end = Number(row[1]) + bar / BYTE_COLUMNS + Number(size[1]);
      fields.push({
        name: label.replace(/ \(.*\)| \.\.\.$/g, ''),
        offset: Number(row[1]) + bar / BYTE_COLUMNS,
        isVariable: label.endsWith('...'),
        isUnused: label === '0' || label.endsWith('(unused)'),
      });
    }
  }
  return { fields, end };
}

function diagramOf(source: string): string {
  const block = / \* ```\n([\s\S]*?) \* ```\n/.exec(source);
  if (block === null) throw new Error('no diagram in the comment');
  return block[1]!.replaceAll(/^ \* ?/gm, '').trimEnd();
}

const constantName = (field: Field): string => field.name.toUpperCase().replaceAll(' ', '_');

describe.each(layouts)('layout %s', (file) => {
  const source = read(`${FOLDER}/${file}`);
  const diagram = diagramOf(source);
  const { fields, end } = parseDiagram(diagram);

  it('has constants with the offsets of its diagram', async () => {
    const constants = Object.entries(
      (await import(`../../engine/wire/layout/${file.slice(0, -3)}.ts`)) as Record<string, number>,
    );
    const offsets = constants.filter(([name]) => name.endsWith('_OFFSET'));
    const lengths = constants.filter(([name]) => name.endsWith('_LENGTH')).map(([, value]) => value);
    expect(constants.length).toBe(offsets.length + lengths.length);
    const matched = new Set<string>();
    for (const field of fields.filter(({ isUnused }) => !isUnused)) {
      const own = offsets.filter(([name]) => name.endsWith(`_${constantName(field)}_OFFSET`));
      const exact = own.filter(([, value]) => value === field.offset);
      if (field.isVariable && own.length === 0) {
        expect(lengths, `the fixed length ends where ${field.name} begins`).toContain(field.offset);
        continue;
      }
      expect(exact, `one constant for ${field.name} at ${field.offset}`).toHaveLength(1);
      matched.add(exact[0]![0]);
    }
    expect([...matched].sort()).toEqual(offsets.map(([name]) => name).sort());
    const ends = [end, ...fields.filter(({ isVariable }) => isVariable).map(({ offset }) => offset)];
    for (const length of lengths) expect(ends).toContain(length);
  });

  it('has the same diagram in docs/protocol/', () => {
    const isDrawn = pages.some((page) => page.includes(`\`\`\`\n${diagram}\n\`\`\``));
    expect(isDrawn).toBe(!LOCAL.includes(file));
  });
});

describe('layouts', () => {
  it('exist for every packet, and for nothing else', () => {
    const named = [OF_PACKETS, OF_RECORDS, OF_MONITOR].flatMap((table) => Object.values(table).flat());
    expect([...new Set([...named, ...OF_CLIENTS, ...COMMON])].sort()).toEqual([...layouts].sort());
  });

  it('have the type numbers of the tables in docs/protocol/', () => {
    const ring = read('docs/protocol/ring-protocol.md');
    const rowsOf = (heading: RegExp): Map<number, string> => {
      const table = heading.exec(ring);
      if (table === null) throw new Error(`no table ${heading}`);
      const rows = new Map<number, string>();
      for (const [, numbers, names] of table[1]!.matchAll(/^\| ([\d, ]+?) \| ([^|]+?) \|/gm)) {
        const list = names!.split(', ');
        for (const [i, number] of numbers!.split(', ').entries()) rows.set(Number(number), list[i]!);
      }
      return rows;
    };
    const upper = (name: string): string => name.replaceAll(/(?<=[a-z])(?=[A-Z])/g, '_').toUpperCase();
    const packets = rowsOf(/\| Type \| Name \| Body[^\n]*\n[^\n]*\n((?:\|[^\n]*\n)+)/);
    expect(packets).toEqual(new Map(Object.entries(PacketType).map(([name, type]) => [type, upper(name)])));
    const records = rowsOf(/\| Kind \| Name \| Body[^\n]*\n[^\n]*\n((?:\|[^\n]*\n)+)/);
    const ordered = Object.entries(RecordKind).filter(([, kind]) => kind >= RecordKind.Run && kind <= RecordKind.Drain);
    expect(records).toEqual(new Map(ordered.map(([name, kind]) => [kind, name])));
  });

  /** These move bytes without interpreting them; the last one handles the payload of messages to itself. */
  const MOVES_BYTES: readonly string[] = [
    'engine/wire/ring-bytes.ts',
    'engine/wire/name-hash.ts',
    'engine/wire/ring-body.ts',
    'engine/groups/byte-stream.ts',
    'cli/flood/flood-run.ts',
  ];
  /** Offsets in shared memory: words of the ordered log, and the start of a ring buffer. */
  const isOfMemory = (file: string): boolean => file.startsWith('engine/buffers/');

  const BARE = [
    // A view or buffer: the offset comes first, or after the value that a Buffer writes.
    /\.(?:get|set)(?:Int|Uint|Float|BigInt|BigUint)\d+\((?:[^,()\n]*\+ )?\d+[,)]/g,
    /\.read(?:U?Int|Float|Double)\w*\((?:[^,()\n]*\+ )?\d+[,)]/g,
    /\.write(?:U?Int|Float|Double)\w*\([^\n]*, (?:[^,()\n]*\+ )?\d+\)/g,
    // ring-bytes.ts: the bytes, then the offset.
    /\b(?:read|write)[UI](?:16|32|48)\([^,()\n]*, (?:[^,()\n]*\+ )?\d+[,)]/g,
    // A byte of a packet.
    /\b(?:bytes|datagram|body|part|frame|answer|request|ticket|trailer)\[[\w.#]+ \+ \d+\]/g,
  ];
  const MOVES_WORDS = /^\w*\[i \+ \d\]$|\bbytes\[i \+ \d\]/;

  it('are the only places with offsets', () => {
    const found: string[] = [];
    for (const file of [...productFiles(), ...testFiles()]) {
      if (file.startsWith(`${FOLDER}/`) || file.startsWith('bench/') || MOVES_BYTES.includes(file)) continue;
      const source = read(file);
      if (!isOfMemory(file))
        for (const [, name] of source.matchAll(
          /^(?:export )?const ((?:AT_(?!ONCE\b)|OFFSET_)[A-Z_]+|[A-Z_]+_OFFSET) = \d/gm,
        ))
          found.push(`${file}: ${name}`);
      if (file.startsWith('test/')) continue;
      for (const pattern of BARE)
        for (const [call] of source.matchAll(pattern)) if (!MOVES_WORDS.test(call)) found.push(`${file}: ${call}`);
    }
    expect(found).toEqual([]);
  });
});
