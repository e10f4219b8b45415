/** Passwords: the same work for every user, fair turns by address, and no work for disconnected clients. */
import { scryptSync } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DeliveryCounter } from '../../engine/buffers/counters.ts';
import { DEFAULT_LOGIN_COST, loginCosts } from '../../engine/config/password-cost.ts';
import { type PasswordEntry, parsePasswordFile } from '../../engine/config/password-file.ts';
import { LiveValue } from '../../workers/delivery/live.ts';
import { type Derive, PasswordChecker, type PasswordVerdict } from '../../workers/delivery/password-checker.ts';

interface Job {
  readonly password: string;
  readonly work: string;
  readonly done: () => void;
}

/** Hashes that cost nothing and complete when the test allows it. The key begins with password and salt. */
class Mill {
  readonly jobs: Job[] = [];
  readonly derive: Derive = (password, salt, lengthBytes, { N, r, p }, done) => {
    const key = Buffer.alloc(lengthBytes);
    key.write(`${password}/${salt.toString('hex')}`, 'latin1');
    const work = `${N} ${r} ${p} ${salt.length} ${lengthBytes}`;
    this.jobs.push({ password, work, done: () => done(null, key) });
  };

  /** @returns the work done, in order */
  runAll(): readonly string[] {
    const work: string[] = [];
    for (let job = this.jobs.shift(); job !== undefined; job = this.jobs.shift()) {
      work.push(job.work);
      job.done();
    }
    return work;
  }
}

function entry(user: string, password: string, [cost, blockSize, parallelization, saltBytes]: Cost): PasswordEntry {
  const salt = Buffer.alloc(saltBytes, user);
  const hash = Buffer.from(`${password}/${salt.toString('hex')}`, 'latin1').subarray(0, 32);
  return {
    ...{ user, cost, blockSize, parallelization },
    ...{ salt: salt.toString('base64'), hash: hash.toString('base64') },
  };
}

type Cost = readonly [cost: number, blockSize: number, parallelization: number, saltBytes: number];
const CHEAP: Cost = [16, 8, 1, 16];

const settingsOf = (passwords: ReadonlyMap<string, PasswordEntry>, maxWaitingPasswords = 1) =>
  new LiveValue({ passwords, maxWaitingPasswords });
const countersOf = (): Float64Array => new Float64Array(64);

function checkerFor(entries: readonly PasswordEntry[], maxWaiting: number, mill: Mill, counters = countersOf()) {
  const passwords = new Map(entries.map((one) => [one.user, one]));
  return new PasswordChecker(settingsOf(passwords, maxWaiting), counters, mill.derive);
}

describe('the work of a login', () => {
  const cost: fc.Arbitrary<Cost> = fc.tuple(
    fc.constantFrom(2, 1024, 16_384, 262_144),
    fc.constantFrom(1, 8, 32),
    fc.constantFrom(1, 2, 16),
    fc.integer({ min: 8, max: 64 }),
  );

  it('is the same for every user, known or not, and for right and wrong passwords', () => {
    fc.assert(
      fc.property(fc.array(cost, { maxLength: 6 }), (costs) => {
        const entries = costs.map((one, i) => entry(`user${i}`, 'secret', one));
        const mill = new Mill();
        const checker = checkerFor(entries, 1, mill);
        const attempts = [...entries.map(({ user }) => user), 'nobody', '', 'user0 '].flatMap((user) =>
          ['secret', 'wrong', ''].map((password) => ({ user, password })),
        );
        const works = attempts.map((credentials) => {
          let verdict: PasswordVerdict | null = null;
          checker.check({
            credentials,
            owner: 'a',
            answer: (given) => {
              verdict = given;
            },
          });
          const work = mill.runAll();
          const isRight = credentials.password === 'secret' && entries.some(({ user }) => user === credentials.user);
          expect(verdict).toBe(isRight ? 'right' : 'wrong');
          return work;
        });
        for (const work of works) expect(work).toEqual(works[0]);
        // Each cost occurs once, including every user's own.
        expect(new Set(works[0]).size).toBe(works[0]!.length);
        for (const [N, r, p, saltBytes] of costs) expect(works[0]).toContain(`${N} ${r} ${p} ${saltBytes} 128`);
      }),
      { numRuns: 200 },
    );
  });

  it('is that of skein passwd when no user has a password', () => {
    const mill = new Mill();
    checkerFor([], 1, mill).check({ credentials: { user: 'x', password: 'y' }, owner: 'a', answer: () => {} });
    expect(mill.runAll()).toEqual(['16384 8 1 16 128']);
    expect(loginCosts([])).toEqual([DEFAULT_LOGIN_COST]);
  });

  it('succeeds for every line that the file may hold', async () => {
    const salt = Buffer.alloc(16, 7);
    const accepted: string[] = [];
    for (const N of [2, 1024, 2048, 32_768, 65_536, 262_144, 2 ** 29]) {
      for (const r of [1, 2, 8, 1024, 1025, 2 ** 20]) {
        for (const p of [1, 16]) {
          const line = `u:scrypt$${N}$${r}$${p}$${salt.toString('base64')}$${Buffer.alloc(16).toString('base64')}`;
          if (parsePasswordFile(line).problems.length > 0) continue;
          // Of the lines that take seconds, the two that need most memory suffice.
          if (N * r * p > 2 ** 16 && ![262_144 * 8, 2048 * 1024].includes(N * r * p)) continue;
          const counters = countersOf();
          const checker = new PasswordChecker(settingsOf(parsePasswordFile(line).entries), counters);
          await new Promise((answer) =>
            checker.check({ credentials: { user: 'u', password: 'x' }, owner: 'a', answer }),
          );
          expect([line, counters[DeliveryCounter.PasswordsFailed]]).toEqual([line, 0]);
          accepted.push(`${N}/${r}/${p}`);
        }
      }
    }
    expect(accepted).toEqual(expect.arrayContaining(['262144/8/1', '2048/1024/1', '32768/1/1', '2/1024/16']));
    expect(accepted).not.toContain('65536/1/1');
    expect(accepted).not.toContain('2/1048576/16');
  }, 60_000);

  it('that fails counts as a wrong password, and never throws', async () => {
    const broken = entry('u', 'x', [65_536, 1, 1, 16]);
    const counters = countersOf();
    const checker = new PasswordChecker(settingsOf(new Map([['u', broken]])), counters);
    const verdict = await new Promise((answer) =>
      checker.check({ credentials: { user: 'u', password: 'x' }, owner: 'a', answer }),
    );
    expect([verdict, counters[DeliveryCounter.PasswordsFailed]]).toEqual(['wrong', 1]);
  });

  it('accepts right passwords of any length with real hashes', async () => {
    const salt = Buffer.alloc(16, 1);
    for (const length of [16, 32, 64, 128]) {
      const hash = scryptSync('secret', salt, length, { N: 16, r: 8, p: 1 }).toString('base64');
      const line = `u:scrypt$16$8$1$${salt.toString('base64')}$${hash}`;
      const checker = new PasswordChecker(settingsOf(parsePasswordFile(line).entries), countersOf());
      const check = (password: string) =>
        new Promise((answer) => checker.check({ credentials: { user: 'u', password }, owner: 'a', answer }));
      expect([await check('secret'), await check('secre')]).toEqual(['right', 'wrong']);
    }
  });
});

describe('the queue', () => {
  interface Crowd {
    readonly mill: Mill;
    readonly counters: Float64Array;
    readonly answers: Map<string, PasswordVerdict>;
    readonly ask: (owner: string, name: string) => () => void;
    readonly unwatched: (owner: string, name: string) => void;
  }

  function crowd(maxWaiting: number): Crowd {
    const mill = new Mill();
    const counters = countersOf();
    const checker = checkerFor([entry('u', 'secret', CHEAP)], maxWaiting, mill, counters);
    const answers = new Map<string, PasswordVerdict>();
    const start = (owner: string, name: string) => {
      const check = {
        credentials: { user: 'u', password: name },
        owner,
        answer: (verdict: PasswordVerdict) => void answers.set(name, verdict),
      };
      checker.check(check);
      return check;
    };
    return {
      mill,
      counters,
      answers,
      ask: (owner, name) => {
        const check = start(owner, name);
        return () => checker.cancel(check);
      },
      unwatched: (owner, name) => checker.unwatch(start(owner, name)),
    };
  }

  const next = ({ mill }: Crowd): string => {
    const job = mill.jobs.shift()!;
    job.done();
    return job.password;
  };
  const count = ({ counters }: Crowd, counter: keyof typeof DeliveryCounter): number =>
    counters[DeliveryCounter[counter]]!;

  it('computes two at once, and takes addresses in turn', () => {
    const all = crowd(100);
    for (let i = 0; i < 5; i++) all.ask('many', `m${i}`);
    all.ask('one', 'o');
    all.ask('two', 't0');
    all.ask('two', 't1');
    expect([count(all, 'PasswordsRunning'), count(all, 'PasswordsWaiting')]).toEqual([2, 6]);
    const order: string[] = [];
    while (all.mill.jobs.length > 0) order.push(next(all));
    expect(order).toEqual(['m0', 'm1', 'm2', 'o', 't0', 'm3', 't1', 'm4']);
    expect([count(all, 'PasswordsRunning'), count(all, 'PasswordsWaiting')]).toEqual([0, 0]);
    expect([count(all, 'PasswordsChecked'), count(all, 'PasswordsWrong')]).toEqual([8, 8]);
  });

  it('computes nothing for clients that disconnect: a thousand of them do not delay the next one', () => {
    const all = crowd(100);
    for (let i = 0; i < 1000; i++) all.ask('attacker', `a${i}`)();
    const stays = all.ask('attacker', 'good');
    expect(count(all, 'PasswordsSkipped')).toBe(998);
    expect(all.mill.jobs.map(({ password }) => password)).toEqual(['a0', 'a1']);
    next(all);
    next(all);
    expect(next(all)).toBe('good');
    // A client that disconnects during the computation gets no answer.
    expect([...all.answers]).toEqual([['good', 'wrong']]);
    stays();
    expect(all.mill.jobs).toEqual([]);
  });

  it('answers busy when it is full: to the newest of the address with most entries', () => {
    const all = crowd(4);
    for (let i = 0; i < 6; i++) all.ask('many', `m${i}`);
    expect([...all.answers]).toEqual([]);
    all.ask('many', 'm6');
    expect([...all.answers]).toEqual([['m6', 'busy']]);
    all.ask('other', 'o0');
    expect(all.answers.get('m5')).toBe('busy');
    all.ask('other', 'o1');
    expect(all.answers.get('m4')).toBe('busy');
    // Now both have two, so the newcomer is one too many.
    all.ask('other', 'o2');
    expect(all.answers.get('o2')).toBe('busy');
    expect(count(all, 'PasswordsBusy')).toBe(4);
    const order: string[] = [];
    while (all.mill.jobs.length > 0) order.push(next(all));
    expect(order).toEqual(['m0', 'm1', 'm2', 'o0', 'm3', 'o1']);
  });

  it('prefers clients whose disconnect it would see, and drops the others first', () => {
    const all = crowd(3);
    all.ask('x', 'running0');
    all.ask('x', 'running1');
    for (let i = 0; i < 3; i++) all.unwatched('flooder', `f${i}`);
    all.ask('good', 'g0');
    expect([...all.answers.keys()]).toEqual(['f2']);
    next(all);
    expect(all.mill.jobs.at(-1)?.password).toBe('g0');
  });

  it('of length 0 still allows checks that can start at once', () => {
    const all = crowd(0);
    for (let i = 0; i < 3; i++) all.ask('x', `x${i}`);
    expect([...all.answers]).toEqual([['x2', 'busy']]);
  });

  it('answers each request exactly once, whatever arrives and disconnects', () => {
    const action = fc.oneof(
      { weight: 4, arbitrary: fc.record({ kind: fc.constant('ask' as const), owner: fc.constantFrom('a', 'b', 'c') }) },
      {
        weight: 1,
        arbitrary: fc.record({ kind: fc.constant('unwatched' as const), owner: fc.constantFrom('a', 'b') }),
      },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant('cancel' as const), which: fc.nat() }) },
      { weight: 3, arbitrary: fc.record({ kind: fc.constant('done' as const) }) },
    );
    fc.assert(
      fc.property(fc.array(action, { maxLength: 80 }), fc.integer({ min: 0, max: 6 }), (actions, maxWaiting) => {
        const all = crowd(maxWaiting);
        const cancels: { name: string; cancel: () => void }[] = [];
        const cancelled = new Set<string>();
        const asked: string[] = [];
        for (const [i, one] of actions.entries()) {
          const name = `n${i}`;
          if (one.kind === 'ask') {
            asked.push(name);
            cancels.push({ name, cancel: all.ask(one.owner, name) });
          } else if (one.kind === 'unwatched') {
            asked.push(name);
            all.unwatched(one.owner, name);
          } else if (one.kind === 'cancel' && cancels.length > 0) {
            const { name: gone, cancel } = cancels[one.which % cancels.length]!;
            if (!all.answers.has(gone)) cancelled.add(gone);
            cancel();
          } else if (all.mill.jobs.length > 0) next(all);
          expect(all.mill.jobs.length).toBeLessThanOrEqual(2);
          expect(count(all, 'PasswordsWaiting')).toBeLessThanOrEqual(Math.max(maxWaiting, 0));
        }
        while (all.mill.jobs.length > 0) next(all);
        for (const name of asked) expect([name, all.answers.has(name)]).toEqual([name, !cancelled.has(name)]);
      }),
      { numRuns: 500 },
    );
  });
});
