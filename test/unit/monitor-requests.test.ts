/** How a delivery agent handles requests for the daemon's state: allowed clients, refusals, and the way of the answers. */
import { describe, expect, it } from 'vitest';
import { parseAccessFile } from '../../engine/access/access-file.ts';
import { sessionHandle } from '../../engine/wire/ids.ts';
import { ANSWER_LAST_TYPE, ANSWER_PART_TYPE, MAX_ANSWER_PART_BYTES } from '../../engine/wire/monitor-name.ts';
import { RESULT_CODES } from '../../engine/wire/result-codes.ts';
import type { TransportPeer } from '../../workers/delivery/client-transport.ts';
import type { StateAnswer } from '../../workers/watch/watch-messages.ts';
import { connectBytes } from '../e2e/support/wire-client.ts';
import { AGREED, encodeFrame, SAFE } from '../e2e/support/wire-frames.ts';
import { type MemoryClient, MemoryDaemon } from './memory-daemon.ts';

const MONITOR = '#skein#d';

const ask = (client: MemoryClient, body: unknown, groups: readonly string[] = [MONITOR], type = AGREED): void =>
  client.transport.send(
    encodeFrame({
      type,
      sender: client.privateName,
      groups,
      data: typeof body === 'string' ? body : JSON.stringify(body),
    }),
  );

/** The complete documents received. */
function documents(client: MemoryClient): readonly Record<string, unknown>[] {
  const found: Record<string, unknown>[] = [];
  let parts: Buffer[] = [];
  for (const { sender, groups, data, messageType } of client.frames()) {
    expect([sender, groups]).toEqual([MONITOR, [client.privateName]]);
    expect([ANSWER_PART_TYPE, ANSWER_LAST_TYPE]).toContain(messageType);
    expect(data.length).toBeLessThanOrEqual(MAX_ANSWER_PART_BYTES);
    parts.push(data);
    if (messageType === ANSWER_PART_TYPE) continue;
    found.push(JSON.parse(Buffer.concat(parts).toString()) as Record<string, unknown>);
    parts = [];
  }
  return found;
}

const errorOf = (client: MemoryClient): { readonly id: unknown; readonly code: unknown; readonly reason: string } => {
  const [document, ...more] = documents(client);
  expect(more).toEqual([]);
  expect(document).toMatchObject({ kind: 'error', done: true });
  const { code, reason } = document!['data'] as { readonly code: string; readonly reason: string };
  return { id: document!['id'], code, reason };
};

function answer(daemon: MemoryDaemon, text: string, rest: Partial<StateAnswer> = {}): void {
  const session = requests(daemon).at(-1)!.session;
  const given: StateAnswer = { kind: 'monitor-answer', session, id: 1, text, isLast: true, mayBeMissed: false };
  daemon.delivery.order({ ...given, ...rest });
}

const requests = (daemon: MemoryDaemon) => daemon.reports.filter((report) => report.kind === 'monitor-request');

const LOCAL: readonly (readonly [string, Partial<TransportPeer>])[] = [
  ['the Unix socket', { address: undefined }],
  ['127.0.0.1', { address: '127.0.0.1' }],
  ['127.3.2.1', { address: '127.3.2.1' }],
  ['::1', { address: '::1' }],
  ['::ffff:127.0.0.1', { address: '::ffff:127.0.0.1' }],
];
const FOREIGN: readonly (readonly [string, Partial<TransportPeer>])[] = [
  ['10.0.0.1', { address: '10.0.0.1' }],
  ['1127.0.0.1', { address: '1127.0.0.1' }],
  ['::2', { address: '::2' }],
  ['::ffff:10.0.0.1', { address: '::ffff:10.0.0.1' }],
  ['a reset connection', { address: 'gone' }],
  ['a page on this machine', { address: '127.0.0.1', isWeb: true }],
];

describe('without an AccessFile', () => {
  it.each(LOCAL)('a client of %s may ask', async (_, peer) => {
    const daemon = await MemoryDaemon.start();
    const client = daemon.login('ops', undefined, peer);
    ask(client, { id: 7, ask: 'status' });
    expect(requests(daemon)).toMatchObject([{ id: 7, client: '#ops#d', worker: 0, body: { ask: 'status' } }]);
    answer(daemon, '{"id":7}', { id: 7 });
    expect(documents(client)).toEqual([{ id: 7 }]);
  });

  it.each(FOREIGN)('a client of %s may not, and gets an error', async (_, peer) => {
    const daemon = await MemoryDaemon.start();
    const client = daemon.login('ops', undefined, peer);
    ask(client, { id: 7, ask: 'status' });
    ask(client, { id: 8, ask: 'status' });
    expect(requests(daemon)).toEqual([]);
    const refused = documents(client);
    expect(refused.map(({ id, done }) => [id, done])).toEqual([
      [7, true],
      [8, true],
    ]);
    expect(refused.map(({ data }) => (data as { code: string }).code)).toEqual(['not-allowed', 'not-allowed']);
    expect([daemon.count('MonitorRequests'), daemon.count('MonitorRefused')]).toEqual([2, 2]);
    const told = daemon.lines.filter(({ message }) => message.includes('was refused'));
    expect(told).toHaveLength(1);
    expect(told[0]!.fields).toMatchObject({ session: '#ops#d', code: 'not-allowed' });
    daemon.pass(61_000);
    ask(client, { id: 9, ask: 'status' });
    expect(daemon.lines.filter(({ message }) => message.includes('was refused'))).toHaveLength(2);
  });
});

describe('with an AccessFile', () => {
  const peer = { address: '10.0.0.1', certificate: 'ops' };
  const rules = 'certificate ops admin\ncertificate web admin web.* join web.1\ncertificate other join *\n';
  const login = async (certificate: string) => {
    const daemon = await MemoryDaemon.start();
    daemon.delivery.prepare({ delivery: { ...daemon.spec.delivery, rights: parseAccessFile(rules, 'rules').rules } })();
    return { daemon, client: daemon.login('a', undefined, { ...peer, certificate }) };
  };

  it.each([
    ['ops', { ask: 'status' }, null],
    ['ops', { ask: 'events' }, null],
    ['ops', { ask: 'trace', group: 'web.1' }, null],
    ['ops', { ask: 'trace', group: 'web.1', data: true }, 'join web.1'],
    ['web', { ask: 'status' }, 'admin of the daemon'],
    ['web', { ask: 'trace', group: 'web.1' }, null],
    ['web', { ask: 'trace', group: 'web.1', data: true }, null],
    ['web', { ask: 'trace', group: 'web.2', data: true }, 'join web.2'],
    ['web', { ask: 'trace', group: 'news' }, 'admin news'],
    ['other', { ask: 'status' }, 'admin of the daemon'],
    ['other', { ask: 'trace', group: 'news' }, 'admin news'],
  ])('certificate %s asks for %j', async (certificate, body, missing) => {
    const { daemon, client } = await login(certificate);
    ask(client, { id: 1, ...body });
    expect(requests(daemon)).toHaveLength(missing === null ? 1 : 0);
    if (missing === null) expect(documents(client)).toEqual([]);
    else expect(errorOf(client)).toMatchObject({ code: 'not-allowed', reason: expect.stringContaining(missing) });
  });

  it('applies the current rules', async () => {
    const { daemon, client } = await login('ops');
    ask(client, { id: 1, ask: 'status' });
    answer(daemon, '{"id":1}');
    daemon.delivery.prepare({
      delivery: { ...daemon.spec.delivery, rights: parseAccessFile('anyone join *', 'rules').rules },
    })();
    ask(client, { id: 2, ask: 'status' });
    expect(documents(client).at(-1)).toMatchObject({ id: 2, kind: 'error' });
  });
});

describe('a request', () => {
  it.each([
    ['text that is no JSON', 'status', 0],
    ['an array', '[1]', 0],
    ['null', 'null', 0],
    ['nothing', '', 0],
    ['no id', { ask: 'status' }, 0],
    ['a text as id', { id: '1', ask: 'status' }, 0],
    ['0 as id', { id: 0, ask: 'status' }, 0],
    ['a part as id', { id: 1.5, ask: 'status' }, 0],
    ['too large an id', { id: 2 ** 31, ask: 'status' }, 0],
    ['too much', { id: 1, ask: 'status', more: 'x'.repeat(4096) }, 0],
  ])('that is %s is refused as a bad one', async (_, body, id) => {
    const daemon = await MemoryDaemon.start();
    const client = daemon.login('ops');
    ask(client, body);
    expect(errorOf(client)).toMatchObject({ id, code: 'bad-request' });
    expect(daemon.reports).toEqual([]);
  });

  it('must be done or ended before its session may send another', async () => {
    const daemon = await MemoryDaemon.start();
    const client = daemon.login('ops');
    const other = daemon.login('other');
    ask(client, { id: 1, ask: 'events' });
    ask(client, { id: 2, ask: 'status' });
    expect(errorOf(client)).toMatchObject({ id: 2, code: 'busy' });
    ask(other, { id: 1, ask: 'status' });
    expect(requests(daemon)).toHaveLength(2);
    ask(client, { id: 3, ask: 'end' });
    ask(client, { id: 4, ask: 'end' });
    expect(daemon.reports.filter(({ kind }) => kind === 'monitor-end')).toHaveLength(1);
    expect(documents(client)).toEqual([]);
    ask(client, { id: 5, ask: 'status' });
    expect(requests(daemon)).toHaveLength(3);
    answer(daemon, '{"id":5}', { id: 5 });
    expect(documents(client)).toEqual([{ id: 5 }]);
  });

  it('is never ordered, and several in one run are each answered', async () => {
    const daemon = await MemoryDaemon.start();
    const client = daemon.login('ops');
    const frames = [1, 2, 3].map((id) =>
      encodeFrame({
        type: SAFE,
        sender: client.privateName,
        groups: [MONITOR],
        data: JSON.stringify({ id, ask: 'x' }),
      }),
    );
    const ordered = daemon.count('RunsSubmitted');
    client.transport.send(Buffer.concat(frames));
    daemon.settle();
    expect(requests(daemon)).toMatchObject([{ id: 1 }]);
    expect(documents(client).map(({ id }) => id)).toEqual([2, 3]);
    expect(daemon.count('RunsSubmitted')).toBe(ordered);
  });

  it('to another daemon, or with another target, is an ordinary message', async () => {
    const daemon = await MemoryDaemon.start();
    const client = daemon.login('ops');
    client.join('news');
    client.frames();
    ask(client, { id: 1, ask: 'status' }, ['#skein#e']);
    ask(client, { id: 2, ask: 'status' }, [MONITOR, 'news']);
    ask(client, { id: 3, ask: 'status' }, ['#skein#dd']);
    expect(daemon.reports).toEqual([]);
    expect(client.frames().map(({ groups }) => groups)).toEqual([[MONITOR, 'news']]);
  });
});

describe('an answer', () => {
  it('arrives in parts, whatever its length', async () => {
    const daemon = await MemoryDaemon.start();
    const client = daemon.login('ops');
    for (const length of [1, MAX_ANSWER_PART_BYTES - 20, MAX_ANSWER_PART_BYTES, 5 * MAX_ANSWER_PART_BYTES + 1]) {
      ask(client, { id: 1, ask: 'status' });
      const data = 'ä'.repeat(length);
      answer(daemon, JSON.stringify({ id: 1, data }));
      expect(documents(client)).toEqual([{ id: 1, data }]);
    }
  });

  it('is refused when the session’s queue has no room for it', async () => {
    const daemon = await MemoryDaemon.start({ maxSessionBytes: 300_000 });
    const client = daemon.login('ops');
    client.transport.room = 0;
    ask(client, { id: 1, ask: 'status' });
    answer(daemon, JSON.stringify({ id: 1, data: 'x'.repeat(300_000) }));
    expect(daemon.count('MonitorRefused')).toBe(1);
    ask(client, { id: 1, ask: 'status' });
    answer(daemon, JSON.stringify({ id: 1, data: 'x'.repeat(10) }));
    client.transport.room = Number.POSITIVE_INFINITY;
    const [refused, good] = documents(client);
    expect(refused).toMatchObject({ id: 1, kind: 'error', done: true, data: { code: 'too-long' } });
    expect(good).toEqual({ id: 1, data: 'x'.repeat(10) });
  });

  it('of a stream is skipped and counted while too much waits', async () => {
    const daemon = await MemoryDaemon.start();
    const client = daemon.login('ops');
    client.transport.room = 0;
    ask(client, { id: 1, ask: 'events' });
    const stream = { isLast: false, mayBeMissed: true };
    for (let i = 0; i < 40; i++) answer(daemon, JSON.stringify({ id: 1, i, fill: 'x'.repeat(20_000) }), stream);
    client.transport.room = Number.POSITIVE_INFINITY;
    const before = documents(client).length;
    expect(before).toBeGreaterThan(10);
    expect(before).toBeLessThan(20);
    answer(daemon, '{"id":1,"i":40}', stream);
    expect(documents(client)).toEqual([
      { id: 1, kind: 'missed', data: { count: 40 - before } },
      { id: 1, i: 40 },
    ]);
  });

  it('to a closed session, or to an ended request, ends the stream', async () => {
    const daemon = await MemoryDaemon.start();
    const client = daemon.login('ops');
    ask(client, { id: 1, ask: 'events' });
    ask(client, { id: 2, ask: 'end' });
    ask(client, { id: 3, ask: 'events' });
    answer(daemon, '{"id":1}', { id: 1, isLast: false, mayBeMissed: true });
    expect(documents(client)).toEqual([]);
    client.transport.abort();
    daemon.pass(100);
    const ends = daemon.reports.filter(({ kind }) => kind === 'monitor-end').length;
    answer(daemon, '{"id":3}', { id: 3, isLast: false, mayBeMissed: true });
    answer(daemon, '{"id":3}', { session: sessionHandle(999), isLast: false, mayBeMissed: true });
    expect(daemon.reports.filter(({ kind }) => kind === 'monitor-end')).toHaveLength(ends + 2);
  });
});

it('no client can take the name "skein"', async () => {
  const daemon = await MemoryDaemon.start();
  const client = daemon.connect('skein');
  client.transport.send(connectBytes('skein', true));
  daemon.settle();
  expect(client.take().readInt8(0)).toBe(RESULT_CODES.REJECT_NOT_UNIQUE);
  daemon.login('skeins');
});
