/** The election by seniority in docs/client.md: taken from the page and run by members that join and leave. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { transform } from 'esbuild';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { connect, type ReceivedEvent, type Session } from '../../client/index.ts';
import { type Daemon, startDaemon } from '../../daemon/start-daemon.ts';
import { until } from './client-fake-daemon.ts';

const MARK = 2;
type Elect = (session: Session, observe: (event: ReceivedEvent, leader: string | undefined) => void) => Promise<void>;

/** The program on the page; `observe` gets each event and the leader before it. */
async function electionOfThePage(): Promise<Elect> {
  const page = readFileSync(fileURLToPath(new URL('../../docs/client.md', import.meta.url)), 'utf8');
  const source = page.match(/```ts\n(const SENIORITY = [\s\S]*?)```/)?.[1] ?? '';
  const loop = 'for await (const event of session) {';
  expect(source).toContain(loop);
  const { code } = await transform(source.replace(loop, `${loop}\n  observe(event, seniority?.[0]);`), {
    loader: 'ts',
  });
  return new Function('session', 'observe', `return (async () => {${code}})()`) as Elect;
}

let daemon: Daemon;
beforeAll(async () => {
  daemon = await startDaemon({ port: 0, logLevel: 'silent', unixSocketDir: null, threadingMode: 'inline' });
});
afterAll(() => daemon.stop({ drainTimeoutMs: 0 }));

class Member {
  readonly session: Session;
  /** By mark: this member's leader at that place. */
  readonly leaders = new Map<string, string | undefined>();

  constructor(session: Session, elect: Elect) {
    this.session = session;
    void elect(session, (event, leader) => {
      if (event.kind === 'message' && event.type === MARK) this.leaders.set(event.data.toString(), leader);
    });
  }

  async mark(text: string): Promise<void> {
    this.session.multicast('room', text, { type: MARK });
    await until(() => this.leaders.has(text));
  }
}

it('keeps the oldest member in office, whatever the order of the names', async () => {
  const elect = await electionOfThePage();
  const open = async (name: string): Promise<Member> => new Member(await connect({ port: daemon.port!, name }), elect);
  const names = ['m', 'c', 'x', 'a', 'q', 'b'];
  const members: Member[] = [];
  for (const name of names) {
    const member = await open(name);
    members.push(member);
    // The next one joins before this one knows the leader.
    await member.session.join('room');
  }
  const present = [...members];
  for (let round = 0; present.length > 0; round++) {
    await present.at(-1)!.mark(`${round}`);
    const oldest = present[0]!.session.privateName;
    await until(() => present.every(({ leaders }) => leaders.has(`${round}`)));
    for (const { session, leaders } of present)
      expect(leaders.get(`${round}`), `${session.privateName} in round ${round}`).toBe(oldest);
    // The leader and the youngest member leave in turn.
    const leaver = round % 2 === 0 ? present.shift()! : present.pop()!;
    await leaver.session.leave('room');
  }
  await Promise.all(members.map(({ session }) => session.close()));
});

it('never shows two leaders at one place in the order while members join and leave at the same time', async () => {
  const elect = await electionOfThePage();
  const members = await Promise.all(
    ['d', 'b', 'e', 'a', 'c'].map(async (name) => new Member(await connect({ port: daemon.port!, name }), elect)),
  );
  for (let step = 0; step < 60; step++) {
    const { session } = members[(step * 7) % members.length]!;
    void (session.groups.has('room') ? session.leave('room') : session.join('room'));
    const marker = members[(step * 3) % members.length]!;
    marker.session.multicast('room', `${step}`, { type: MARK });
    if (step % 3 === 0) await marker.session.flushed();
    if (step % 5 === 0) await new Promise((resolve) => setTimeout(resolve, 2));
  }
  await Promise.all(members.map(({ session }) => session.join('room')));
  await members[0]!.mark('end');
  await until(() => members.every(({ leaders }) => leaders.has('end')));
  let compared = 0;
  for (const mark of [...Array(60).keys(), 'end'].map(String)) {
    if (members.filter((member) => member.leaders.get(mark) !== undefined).length > 1) compared++;
    const leaders = new Set(members.map((member) => member.leaders.get(mark)).filter((leader) => leader !== undefined));
    expect([...leaders].length, `leaders at mark ${mark}: ${[...leaders].join()}`).toBeLessThanOrEqual(1);
  }
  expect(compared).toBeGreaterThan(20);
  expect(new Set(members.map(({ leaders }) => leaders.get('end'))).size).toBe(1);
  await Promise.all(members.map(({ session }) => session.close()));
});
