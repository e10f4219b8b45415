/** The simulator's checker on what clients of real daemons saw: it accepts a sound run and rejects each violation. */
import { describe, expect, it } from 'vitest';
import { type Membership, type Service, ViewId } from '../../client/index.ts';
import { type ClientRecord, nextMessage, RunRecord, type SentMessage } from '../cluster/run-record.ts';
import { checkRun, WITNESS_GROUP } from '../cluster/trace-of-run.ts';

const HASH = 1;

function view(
  members: readonly string[],
  index: number,
  own: string,
  cause: Membership['cause'],
  time = 100,
): Membership {
  const changed = cause === 'network' ? undefined : members.at(-1)!;
  return {
    kind: 'membership',
    group: WITNESS_GROUP,
    viewId: new ViewId(1, time, index),
    cause,
    members,
    ownIndex: members.indexOf(own),
    changed,
    vsSets: [cause === 'network' ? members : [changed!]],
    ownVsSet: 0,
  };
}

function see(client: ClientRecord, seen: Membership): void {
  client.observations.push({ kind: 'view', atMs: performance.now(), group: WITNESS_GROUP, view: seen });
}

function send(client: ClientRecord, service: Service): SentMessage {
  const sent: SentMessage = {
    message: nextMessage(client.process),
    atMs: performance.now(),
    groups: [WITNESS_GROUP],
    service,
    selfDiscard: false,
    contentHash: HASH,
    position: client.observations.length,
  };
  client.sent.push(sent);
  return sent;
}

function deliver(client: ClientRecord, sender: ClientRecord, sent: SentMessage, contentHash = HASH): void {
  const { message, groups, service } = sent;
  const atMs = performance.now();
  client.observations.push({ kind: 'message', atMs, message, sender: sender.member, groups, service, contentHash });
}

/** Two daemons whose witnesses have joined. */
function pair(): { readonly run: RunRecord; readonly a: ClientRecord; readonly b: ClientRecord } {
  const run = new RunRecord();
  const [a, b] = [0, 1].map((node) => run.connected(run.started(node), `#w#d${node + 1}`, true)) as [
    ClientRecord,
    ClientRecord,
  ];
  for (const client of [a, b])
    client.observations.push({ kind: 'join-requested', atMs: performance.now(), group: WITNESS_GROUP });
  see(a, view([a.member], 1, a.member, 'join'));
  for (const client of [a, b]) see(client, view([a.member, b.member], 2, client.member, 'join'));
  return { run, a, b };
}

const violated = (run: RunRecord): readonly string[] => checkRun(run).map((violation) => violation.property);

describe('the checker on traces of clients', () => {
  it('accepts a sound run, including a daemon that crashed after others received its message', () => {
    const { run, a, b } = pair();
    for (const [sender, service] of [
      [a, 'agreed'],
      [b, 'safe'],
      [a, 'fifo'],
    ] as const) {
      const sent = send(sender, service);
      for (const client of [a, b]) deliver(client, sender, sent);
    }
    const last = send(b, 'agreed');
    run.ended(b.process, 'crashed');
    b.disconnected = true;
    deliver(a, b, last);
    a.observations.push({
      kind: 'transition',
      atMs: performance.now(),
      group: WITNESS_GROUP,
      id: new ViewId(1, 100, 2),
    });
    see(a, view([a.member], 1, a.member, 'network', 101));
    expect(checkRun(run)).toEqual([]);
  });

  it('rejects two orders of the same messages', () => {
    const { run, a, b } = pair();
    const [first, second] = [send(a, 'agreed'), send(b, 'agreed')];
    deliver(a, a, first);
    deliver(a, b, second);
    deliver(b, b, second);
    deliver(b, a, first);
    expect(violated(run)).toEqual(expect.arrayContaining(['EVS-16', 'GRP-1']));
  });

  it('rejects a message delivered twice, and one with different content', () => {
    const { run, a, b } = pair();
    const sent = send(a, 'agreed');
    deliver(a, a, sent);
    deliver(a, a, sent);
    deliver(b, a, sent, HASH + 1);
    expect(violated(run)).toEqual(expect.arrayContaining(['EVS-9', 'GRP-7']));
  });

  it('rejects a message that never arrives, at one client or at all', () => {
    const { run, a, b } = pair();
    deliver(a, a, send(a, 'safe'));
    expect(violated(run)).toEqual(expect.arrayContaining(['EVS-18', 'EVS-21']));
    send(b, 'agreed');
    const unsent = checkRun(run).find((violation) => violation.property === 'EVS-21');
    expect(unsent?.examples.some((example) => example.includes('never sequenced 1 messages'))).toBe(true);
  });

  it('rejects a message that overtakes an earlier one of its sender', () => {
    const { run, a, b } = pair();
    const [first, second] = [send(a, 'agreed'), send(a, 'reliable')];
    for (const sent of [first, second]) deliver(a, a, sent);
    for (const sent of [second, first]) deliver(b, a, sent);
    expect(violated(run)).toContain('GRP-10');
  });

  it('rejects a message that does not come back to the client that sent it', () => {
    const { run, a, b } = pair();
    deliver(b, a, send(a, 'reliable'));
    expect(violated(run)).toContain('GRP-9');
  });

  it('rejects members of one VS set that got different messages', () => {
    const { run, a, b } = pair();
    const sent = send(a, 'agreed');
    deliver(a, a, sent);
    for (const client of [a, b]) see(client, view([a.member, b.member], 1, client.member, 'network', 101));
    expect(violated(run)).toEqual(expect.arrayContaining(['EVS-12', 'GRP-4']));
  });

  it('rejects daemons that do not merge, and one that ended unexpectedly', () => {
    const { run, a, b } = pair();
    see(a, view([a.member], 1, a.member, 'network', 101));
    run.failures.push('d2 ended with 134');
    expect(violated(run)).toEqual(expect.arrayContaining(['EVS-6', 'EVS-23']));
    expect(b.disconnected).toBe(false);
  });
});
