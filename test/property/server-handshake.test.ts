/** The daemon's side of the handshake: the same steps however the input is split, and none of it throws. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  AUTH_METHODS,
  type AuthMethodName,
  type AuthPolicy,
  type HandshakeStep,
  ServerHandshake,
} from '../../engine/wire/server-handshake.ts';

const DAEMON = 'localhost';
const KEY = Buffer.alloc(32, 5).toString('base64');
const SIGNATURE = KEY;
const CHALLENGE = { nonce: 'daemon', salt: KEY, iterations: 4096 };
const CLIENT_NONCE = 'client';

interface Conversation {
  readonly steps: readonly HandshakeStep[];
  /** Bytes behind the handshake: they belong to the session. */
  readonly rest: Buffer;
}

/** Plays the daemon: every name is free, every credential right. */
function converse(policy: AuthPolicy, chunks: readonly Buffer[]): Conversation {
  const handshake = new ServerHandshake(policy);
  const steps: HandshakeStep[] = [];
  let kept = Buffer.alloc(0);
  let over = false;
  let name = '';
  const take = (step: HandshakeStep): void => {
    if (step.kind === 'need-bytes') return;
    steps.push(step);
    if (step.kind === 'check-name') {
      name = step.name || 'r1-1';
      take(handshake.nameFree());
    } else if (step.kind === 'register') take(handshake.nameAccepted(`#${name}#${DAEMON}`));
    else if (step.kind === 'authenticate') take(handshake.authenticated(step.method, true));
    else if (step.kind === 'scram-begin') take(handshake.challenged(CHALLENGE));
    else if (step.kind === 'scram-prove') take(handshake.proven(SIGNATURE));
    else if (step.kind === 'send') take(handshake.next());
    else over = true;
  };
  for (const chunk of chunks) {
    kept = Buffer.concat([kept, chunk]);
    while (!over) {
      const step = handshake.read(kept, 0, kept.length);
      const { consumed } = handshake;
      kept = Buffer.from(kept.subarray(consumed));
      take(step);
      // Bytes may complete one part and begin the next.
      if (step.kind === 'need-bytes' && (consumed === 0 || kept.length === 0)) break;
    }
  }
  return { steps, rest: kept };
}

const connectPart = (version: readonly number[], flags: number, name: string): Buffer =>
  Buffer.concat([Buffer.from([...version, flags, name.length]), Buffer.from(name, 'latin1')]);

function choice(methods: readonly string[]): Buffer {
  const bytes = Buffer.alloc(90);
  for (const [i, method] of methods.entries()) bytes.write(method, i * 30, 'latin1');
  return bytes;
}

const padded = (text: string, length: number): Buffer => {
  const bytes = Buffer.alloc(length);
  bytes.write(text, 'latin1');
  return bytes;
};

const byteString = fc.stringMatching(/^[$-~]{0,10}$/);
const method = fc.constantFrom(...AUTH_METHODS);
const methods = fc.uniqueArray(method, { minLength: 1, maxLength: 3 });

interface Valid {
  readonly policy: AuthPolicy;
  readonly version: readonly number[];
  readonly name: string;
  readonly flags: number;
  readonly chosen: readonly AuthMethodName[];
  readonly user: string;
  readonly password: string;
}

const valid: fc.Arbitrary<Valid> = fc
  .record({
    policy: fc
      .tuple(methods, fc.subarray([...AUTH_METHODS]))
      .map(([allowed, required]): AuthPolicy => ({ allowed, required })),
    version: fc.constantFrom([3, 16, 0], [3, 17, 2], [4, 4, 0], [5, 0, 0], [127, 99, 99]),
    name: byteString,
    flags: fc.constantFrom(0x00, 0x01, 0x10, 0x11, 0x81, 0xff),
    chosen: methods,
    user: fc.stringMatching(/^[$-)+\-./0-9;<>-~]{1,31}$/),
    password: fc.stringMatching(/^[!-~]{1,8}$/),
  })
  .map((one) => ({ ...one, chosen: one.chosen.filter((chosen) => one.policy.allowed.includes(chosen)) }))
  .filter(({ chosen }) => chosen.length > 0)
  // Whoever must use SCRAM has to choose it: server-handshake-scram.test.ts.
  .filter(({ chosen, policy }) => chosen.includes('SCRAM-SHA-256') || !policy.required.includes('SCRAM-SHA-256'));

const scramPart = (text: string): Buffer => Buffer.concat([Buffer.of(Buffer.byteLength(text)), Buffer.from(text)]);

/** What the client says in a method. */
function saidIn(one: Valid, method: AuthMethodName): readonly Buffer[] {
  if (method === 'PWORD') return [padded(one.user, 32), padded(one.password, 8)];
  if (method !== 'SCRAM-SHA-256') return [];
  return [
    scramPart(`n,,n=${one.user},r=${CLIENT_NONCE}`),
    scramPart(`c=biws,r=${CLIENT_NONCE}${CHALLENGE.nonce},p=${KEY}`),
  ];
}

/** In the order in which they are checked. */
function checkedMethods({ chosen, policy }: Valid): readonly AuthMethodName[] {
  const all = [...chosen, ...policy.required.filter((required) => !chosen.includes(required))];
  const isLast = (method: AuthMethodName): boolean => method === 'PWORD' || method === 'SCRAM-SHA-256';
  return [...all.filter((method) => !isLast(method)), ...all.filter(isLast)];
}

const passwordPart = (one: Valid): readonly Buffer[] => checkedMethods(one).flatMap((method) => saidIn(one, method));

const bytesOf = (one: Valid): Buffer =>
  Buffer.concat([connectPart(one.version, one.flags, one.name), choice(one.chosen), ...passwordPart(one)]);

function cut(bytes: Buffer, sizes: readonly number[]): readonly Buffer[] {
  const chunks: Buffer[] = [];
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = sizes.length === 0 ? bytes.length : sizes[i % sizes.length]!;
    chunks.push(bytes.subarray(at, at + size));
    at += size;
  }
  return chunks;
}

const sizes = fc.array(fc.integer({ min: 1, max: 100 }), { maxLength: 12 });

describe('valid handshakes', () => {
  it('take the same steps however they are split, and leave the bytes after them', () => {
    fc.assert(
      fc.property(valid, sizes, fc.uint8Array({ maxLength: 60 }), (one, splits, frames) => {
        const bytes = Buffer.concat([bytesOf(one), frames]);
        const { steps, rest } = converse(one.policy, cut(bytes, splits));
        expect(rest.equals(frames)).toBe(true);
        expect(steps).toEqual(converse(one.policy, [bytes]).steps);
        expect(steps).toEqual(expectedSteps(one));
      }),
      { numRuns: 500 },
    );
  });
});

function expectedSteps(one: Valid): readonly HandshakeStep[] {
  const { policy } = one;
  const list = AUTH_METHODS.filter((known) => policy.allowed.includes(known))
    .map((known) => `${known} `)
    .join('');
  const checked = checkedMethods(one);
  const privateName = `#${one.name || 'r1-1'}#${DAEMON}`;
  return [
    { kind: 'check-name', name: one.name, wantsMembership: one.flags < 0x80 && one.flags % 2 === 1 },
    { kind: 'send', bytes: new Uint8Array([list.length, ...Buffer.from(list)]) },
    ...checked.flatMap((method): HandshakeStep[] => {
      if (method === 'NULL') return [];
      if (method === 'IP') return [{ kind: 'authenticate', method, credentials: null }];
      if (method === 'SCRAM-SHA-256') {
        const challenge = `r=${CLIENT_NONCE}${CHALLENGE.nonce},s=${KEY},i=4096`;
        const final = `c=biws,r=${CLIENT_NONCE}${CHALLENGE.nonce}`;
        const authMessage = `n=${one.user},r=${CLIENT_NONCE},${challenge},${final}`;
        const send = (text: string): HandshakeStep => ({
          kind: 'send',
          bytes: Uint8Array.of(1, text.length, ...Buffer.from(text)),
        });
        return [
          { kind: 'scram-begin', user: one.user },
          send(challenge),
          { kind: 'scram-prove', user: one.user, authMessage, proof: KEY },
          send(`v=${SIGNATURE}`),
        ];
      }
      return [
        { kind: 'authenticate', method, credentials: { user: one.user, password: one.password } },
        { kind: 'send', bytes: Uint8Array.of(1) },
      ];
    }),
    { kind: 'register' },
    { kind: 'accept', bytes: new Uint8Array([1, 4, 4, 0, privateName.length, ...Buffer.from(privateName)]) },
  ];
}

describe('any bytes', () => {
  const anyPolicy = fc.record({ allowed: fc.subarray([...AUTH_METHODS]), required: fc.subarray([...AUTH_METHODS]) });
  const mutated = fc
    .tuple(valid, fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { maxLength: 4 }))
    .map(([one, changes]) => {
      const bytes = bytesOf(one);
      for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
      return bytes;
    });
  const anyBytes = fc.oneof(
    fc.uint8Array({ maxLength: 200 }).map((noise) => Buffer.from(noise)),
    mutated,
  );

  it('never throw, and take the same steps however they are split', () => {
    fc.assert(
      fc.property(anyPolicy, anyBytes, sizes, (policy, bytes, splits) => {
        const whole = converse(policy, [bytes]);
        const split = converse(policy, cut(bytes, splits));
        expect(split.steps).toEqual(whole.steps);
        const last = whole.steps.at(-1);
        if (last?.kind !== 'refuse') return;
        // One signed code, in front of it the empty list or the password's answer at most; and a reason that names a field.
        expect(last.bytes.length).toBeLessThanOrEqual(2);
        expect(last.reason).toMatch(/^(library|private name|authentication|AllowedAuthMethods|SCRAM-SHA-256)/);
      }),
      { numRuns: 1000 },
    );
  });
});
