/** Every count in a text has the noun that fits it: "1 client", never "1 clients". */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { compactly, counted } from '../../cli/text.ts';
import { topText } from '../../cli/top/top-table.ts';
import type { Status } from '../../daemon/http/status-types.ts';
import { ConfigError } from '../../engine/config/config-error.ts';
import { plural } from '../../engine/plural.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const FOLDERS = ['engine', 'workers', 'daemon', 'client', 'cli', 'dashboard', 'bench'];

/** What is counted somewhere in a text of the project. */
const NOUNS =
  'addresses|bytes|cells|characters|checks|clients|connections|daemons|datagrams|days|deliveries|entries|errors|events|figures|files|frames|groups|keys|lines|members|messages|options|packets|problems|receivers|regressions|rows|rules|runs|seeds|segments|sessions|targets|threads|tokens|users|warnings|workers';
/** `${count} lines`, but for limits, which are constants. */
const COUNTED = new RegExp(`\\$\\{(?![A-Z][A-Z_0-9]+\\})([^}]+)\\} (?:${NOUNS})\\b(?!/s)`, 'g');

/** Counts that are never 1: limits, and what is above one. Expression, with the file. */
const NEVER_ONE: ReadonlySet<string> = new Set([
  'cli/keygen.ts: keys.length',
  'cli/lines/line-notes.ts: this.#maxLineBytes',
  'cli/lines/line-splitter.ts: maxLineBytes',
  'daemon/http/token-file.ts: tokens.length',
  'daemon/open-files.ts: limit',
  'daemon/options-schema.ts: max',
  'daemon/options-schema.ts: maxChars',
  'daemon/options-schema.ts: maxChars + 1',
  'engine/config/cluster-keys.ts: keys.length',
  'engine/config/address-warnings.ts: datagramBytes',
  'engine/config/option-reference.ts: grouped(type.maxChars)',
  'engine/config/password-file.ts: max',
  'engine/config/scram-file.ts: max',
  'engine/wire/scram-messages.ts: SCRAM_SALT_BYTES.max',
  'engine/groups/byte-stream.ts: itemBytes',
  'engine/groups/table-codec.ts: count',
  'workers/delivery/sockets/unix-socket.ts: Buffer.byteLength(path)',
  'workers/ring/log-output.ts: room.bytes',
  'workers/delivery/monitor-requests.ts: length',
  'workers/delivery/monitor-requests.ts: bytes.length',
  'client/browser/page-transport.ts: this.#heldBytes',
  'client/handshake.ts: listLength',
  'client/receive/frame-scan.ts: limit',
  'client/auth.ts: user.length',
  'client/auth.ts: password.length',
  'client/send/frame-template.ts: groups.length',
  'client/send/target.ts: groups.length',
  'client/send/outbound.ts: dataLength',
  'engine/wire/names.ts: maxLengthBytes',
  'bench/report/figures.ts: most',
  'bench/load/payload.ts: lengthBytes',
  'bench/load/receiver.ts: lengthBytes',
  'bench/load/protocols/cpg.ts: length',
  'bench/peers/attached.ts: scenario.daemons',
  'bench/peers/corosync.ts: members',
  'bench/peers/genuine-spread.ts: perDaemon',
  "bench/regress/agents-probe.ts: receivers === 1 ? 'a client' : `${receivers",
  "bench/micro/families/group-lookup.ts: groups.toLocaleString('en')",
  'bench/progress.ts: quantity(metrics.deliveriesPerSecond).padStart(10)',
  'bench/progress.ts: quantity(metrics.messagesPerSecond)',
  'engine/buffers/ordered-log.ts: indexEntries',
  'workers/ring/log-output.ts: room.entries',
  'daemon/http/token-file.ts: stats.size',
  'bench/micro/families/duty-cycle.ts: receivers',
]);

function sources(folder: string): readonly string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts') && !path.includes('generated'))
    .map((path) => join(folder, path));
}

/** Without comments. */
const codeOf = (path: string): string =>
  readFileSync(join(ROOT, path), 'utf8')
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/^\s*\/\/.*$/gm, '');

describe('a count in a text of the sources', () => {
  const found = FOLDERS.flatMap(sources).flatMap((path) =>
    [...codeOf(path).matchAll(COUNTED)].map(([, expression]) => `${path}: ${expression}`),
  );

  it('has a noun in its form, or is never 1', () => {
    const advice = 'use plural() of engine/plural.ts, or add what is never 1 to NEVER_ONE';
    expect(
      found.filter((place) => !NEVER_ONE.has(place)),
      advice,
    ).toEqual([]);
  });

  it('is on the list only while it is there', () => {
    expect([...NEVER_ONE].filter((place) => !found.includes(place))).toEqual([]);
  });
});

describe('texts with one of a thing', () => {
  it('name it in the singular', () => {
    expect([0, 1, 2].map((count) => `${count} ${plural(count, 'byte')}`)).toEqual(['0 bytes', '1 byte', '2 bytes']);
    expect([0, 1, 2].map((count) => plural(count, 'delivery', 'deliveries'))).toEqual([
      'deliveries',
      'delivery',
      'deliveries',
    ]);
    expect([counted(1, 'line'), counted(1234, 'line')]).toEqual(['1 line', '1,234 lines']);
    expect([compactly(1, 'client'), compactly(1234, 'client')]).toEqual(['1 client', '1.23k clients']);
  });

  it('skein top', () => {
    const status = {
      daemon: { name: 'berlin' },
      ring: { members: [{ isPresent: true }] },
      health: { ready: true },
      sessions: { count: 1, list: [] },
      groups: { count: 1 },
      ended: [],
    } as unknown as Status;
    expect(topText(status, [], 20, 5)).toMatch(/^berlin: ready, ring of 1\/1, 1 client, 1 group\n/);
  });

  it('a configuration with one problem more than is shown', () => {
    const problems = Array.from({ length: 21 }, (_, i) => ({ message: `problem ${i}` }));
    expect(new ConfigError(problems, null).message).toMatch(/\nand 1 more problem$/);
  });
});
