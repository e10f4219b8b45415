/** What one session sends takes effect in the order sent, with every service, at every daemon of a ring of real processes. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connect, type ReceivedEvent, type Service, type Session } from '../../client/index.ts';
import { type LoopbackCluster, loopbackCluster, PATIENT_TIMERS } from '../cluster/loopback.ts';

const SERVICES: readonly Service[] = ['unreliable', 'reliable', 'fifo', 'causal', 'agreed', 'safe'];
const DAEMONS = [0, 1, 2];
const GROUP = 'own';
const MESSAGES = 10;
const ROUNDS = 3;
const TIMEOUT_MS = 120_000;
/** Interval of the SAFE messages by which each daemon makes the others wait for stability. */
const NOISE_MS = 2;

/** What a session has seen of the session `of` so far, in order: `join`, `leave`, `disconnect` and its messages. */
class Watcher {
  readonly session: Session;
  readonly events: ReceivedEvent[] = [];
  #changed: () => void = () => {};

  constructor(session: Session) {
    this.session = session;
    for (const kind of ['message', 'membership', 'selfLeave'] as const)
      session.on(kind, (event: ReceivedEvent) => {
        this.events.push(event);
        this.#changed();
      });
    session.on('error', () => {});
  }

  seen(of: string): string[] {
    return this.events.flatMap((event) => {
      if (event.kind === 'message') return event.sender === of ? [event.data.toString()] : [];
      if (event.kind === 'selfLeave') return ['self-leave'];
      return event.kind === 'membership' && event.changed === of ? [`${event.cause} ${event.group}`] : [];
    });
  }

  async until(isTrue: () => boolean): Promise<void> {
    while (!isTrue()) await new Promise<void>((resolve) => (this.#changed = resolve));
  }
}

let cluster: LoopbackCluster;
let watchers: readonly Watcher[] = [];
let noise: readonly Session[] = [];
let timer: NodeJS.Timeout | undefined;

const member = (daemon: number, name: string): Promise<Session> =>
  connect({ address: cluster.addresses[daemon]!, name, connectTimeoutMs: 20_000 });

beforeAll(async () => {
  cluster = await loopbackCluster(DAEMONS.length, PATIENT_TIMERS);
  await Promise.all(cluster.daemons.map((daemon) => daemon.start()));
  watchers = await Promise.all(DAEMONS.map(async (daemon) => new Watcher(await member(daemon, `w${daemon}`))));
  await Promise.all(watchers.map(({ session }) => session.join(GROUP)));
  const all = watchers.length;
  await Promise.all(
    watchers.map((watcher) =>
      watcher.until(() => watcher.events.some((event) => event.kind === 'membership' && event.members.length === all)),
    ),
  );
  noise = await Promise.all(DAEMONS.map((daemon) => member(daemon, `n${daemon}`)));
  timer = setInterval(() => {
    for (const session of noise) if (session.pendingBytes === 0) session.multicast('noise', 'x', { service: 'safe' });
  }, NOISE_MS);
}, TIMEOUT_MS);

afterAll(async () => {
  clearInterval(timer);
  for (const session of noise) session.destroy();
  for (const { session } of watchers) session.destroy();
  await cluster?.remove();
});

const numbered = (letter: string, count: number): string[] => Array.from({ length: count }, (_, i) => `${letter}${i}`);

describe.each(SERVICES)('%s', (service) => {
  it.each(DAEMONS)(
    'a session of daemon %i that joins, sends, leaves, sends, joins again, sends and hangs up',
    async (daemon) => {
      for (let round = 0; round < ROUNDS; round++) {
        for (const watcher of watchers) watcher.events.length = 0;
        // The same name again and again: a session must not overtake the end of the one before.
        const own = new Watcher(await member(daemon, `${service.slice(0, 6)}${daemon}`));
        const { session } = own;
        const name = session.privateName;
        const send = (letter: string, serviceOf: (i: number) => Service, groups: readonly string[] = [GROUP]): void => {
          for (const [i, text] of numbered(letter, MESSAGES).entries())
            session.multicast(groups, text, { service: serviceOf(i) });
        };
        const requests: Promise<void>[] = [];
        send('o', () => service);
        requests.push(session.join(GROUP));
        send('a', () => service);
        send('p', () => service, [name]);
        requests.push(session.leave(GROUP));
        send('b', () => service);
        requests.push(session.join(GROUP));
        // One service after the other, and several targets: a member of all of them receives one message.
        send('c', (i) => SERVICES[i % SERVICES.length]!, [GROUP, 'elsewhere', name]);
        await Promise.all(requests);
        await own.until(() => own.seen(name).includes(`c${MESSAGES - 1}`));
        expect(own.seen(name)).toEqual([
          `join ${GROUP}`,
          ...numbered('a', MESSAGES),
          ...numbered('p', MESSAGES),
          'self-leave',
          `join ${GROUP}`,
          ...numbered('c', MESSAGES),
        ]);
        send('d', () => service);
        await session.close();
        for (const watcher of watchers) {
          await watcher.until(() => watcher.seen(name).includes(`disconnect ${GROUP}`));
          expect(watcher.seen(name)).toEqual([
            ...numbered('o', MESSAGES),
            `join ${GROUP}`,
            ...numbered('a', MESSAGES),
            `leave ${GROUP}`,
            ...numbered('b', MESSAGES),
            `join ${GROUP}`,
            ...numbered('c', MESSAGES),
            ...numbered('d', MESSAGES),
            `disconnect ${GROUP}`,
          ]);
        }
      }
    },
    TIMEOUT_MS,
  );
});

it(
  'of a connection cut right after sending, all or a prefix arrives, and nothing after its disconnect',
  async () => {
    for (const service of SERVICES)
      for (const daemon of DAEMONS) {
        for (const watcher of watchers) watcher.events.length = 0;
        const session = await member(daemon, `cut${SERVICES.indexOf(service)}${daemon}`);
        session.on('error', () => {});
        const name = session.privateName;
        const joined = session.join(GROUP);
        for (const text of numbered('a', MESSAGES)) session.multicast(GROUP, text, { service });
        await joined;
        for (const text of numbered('b', MESSAGES)) session.multicast(GROUP, text, { service });
        session.destroy();
        const ended = `disconnect ${GROUP}`;
        await Promise.all(watchers.map((watcher) => watcher.until(() => watcher.seen(name).includes(ended))));
        // A late message would come after this one of each daemon.
        const barriers = watchers.map(({ session: other }) => other.privateName);
        for (const { session: other } of watchers) other.multicast(barriers, 'barrier', { service: 'safe' });
        for (const watcher of watchers) {
          await watcher.until(() => barriers.every((other) => watcher.seen(other).includes('barrier')));
          const seen = watcher.seen(name);
          const whole = [`join ${GROUP}`, ...numbered('a', MESSAGES), ...numbered('b', MESSAGES)];
          expect(seen.at(-1)).toBe(ended);
          expect(seen.slice(0, -1)).toEqual(whole.slice(0, seen.length - 1));
          expect(seen).toEqual(watchers[0]!.seen(name));
        }
      }
  },
  TIMEOUT_MS,
);
