/** The table of client-protocol.md, sections 1.3 to 1.9: refusals with their bytes, and the answers to old libraries. */
import { describe, expect, it } from 'vitest';
import { RESULT_CODES } from '../../engine/wire/result-codes.ts';
import { type AuthPolicy, type HandshakeStep, ServerHandshake } from '../../engine/wire/server-handshake.ts';

const NULL_ONLY: AuthPolicy = { allowed: ['NULL'], required: [] };

const read = (handshake: ServerHandshake, bytes: Buffer): HandshakeStep => handshake.read(bytes, 0, bytes.length);
const connect = (version: readonly number[], rest: readonly number[]): Buffer => Buffer.from([...version, ...rest]);
const hex = (step: HandshakeStep): string => ('bytes' in step ? Buffer.from(step.bytes).toString('hex') : step.kind);
const choice = (...methods: readonly string[]): Buffer => {
  const bytes = Buffer.alloc(90);
  for (const [i, method] of methods.entries()) bytes.write(method, i * 30, 'latin1');
  return bytes;
};

describe('CONNECT', () => {
  it.each([
    ['version 3.0', [3, 0, 0, 1, 'a'.charCodeAt(0)], 'f9', /^library version 3\.0\.0: must be 3\.1\.0 or later$/],
    ['negative version', [0x84, 4, 0, 1, 0], 'f9', /^library version/],
    [
      'name of 11 bytes',
      [4, 4, 0, 0, 11, ...Buffer.from('elevenbytes')],
      'fb',
      /^private name length 11: must be 0 to 10 bytes$/,
    ],
    ['negative name length', [4, 4, 0, 0, 0xff], 'fb', /^private name length -1: /],
    ['# in the name', [4, 4, 0, 0, 2, 0x61, 0x23], 'fb', /^private name byte 35: must be 36 to 126$/],
    ['DEL in the name', [4, 4, 0, 0, 1, 0x7f], 'fb', /^private name byte 127: /],
    ['a byte above 127 in the name', [4, 4, 0, 0, 1, 0xe4], 'fb', /^private name byte 228: /],
  ])('%s is refused', (_, bytes, code, reason) => {
    const step = read(new ServerHandshake(NULL_ONLY), Buffer.from(bytes));
    expect(step).toMatchObject({ kind: 'refuse', reason: expect.stringMatching(reason) });
    expect(hex(step)).toBe(code);
  });

  it.each([
    [0x00, false],
    [0x01, true],
    [0x10, false],
    [0x11, true],
    [0x81, false],
    [0xff, false],
  ])('flags %i: membership %s', (flags, wantsMembership) => {
    const step = read(new ServerHandshake(NULL_ONLY), connect([4, 4, 0], [flags, 1, 0x61]));
    expect(step).toEqual({ kind: 'check-name', name: 'a', wantsMembership });
  });

  it('a taken name and a full daemon have their own codes', () => {
    const handshake = new ServerHandshake(NULL_ONLY);
    read(handshake, connect([4, 4, 0], [0, 1, 0x61]));
    expect(hex(handshake.nameRefused(RESULT_CODES.REJECT_NOT_UNIQUE))).toBe('fa');
    expect(hex(handshake.nameRefused(RESULT_CODES.REJECT_QUOTA))).toBe('fd');
  });
});

describe('AUTH-CHOICE', () => {
  const chooses = (policy: AuthPolicy, ...methods: readonly string[]): HandshakeStep => {
    const handshake = new ServerHandshake(policy);
    read(handshake, connect([4, 4, 0], [0, 1, 0x61]));
    handshake.nameFree();
    return read(handshake, choice(...methods));
  };

  it.each([
    [['PWORD'], /^authentication method "PWORD": is not one of NULL$/],
    [['null'], /"null"/],
    [[], /^authentication method: none was chosen$/],
    [['NULL', 'XX'], /"XX"/],
    [['N'.repeat(30)], /N{30}/],
  ])('%j is refused', (methods, reason) => {
    const step = chooses(NULL_ONLY, ...methods);
    expect(step).toMatchObject({ kind: 'refuse', reason: expect.stringMatching(reason) });
    expect(hex(step)).toBe('f7');
  });

  it('three chosen methods are all checked, and further ones are ignored', () => {
    const step = chooses({ allowed: ['NULL', 'IP', 'PWORD'], required: [] }, 'NULL', 'IP', 'PWORD');
    expect(step).toEqual({ kind: 'authenticate', method: 'IP', credentials: null });
  });

  it('a client refused by its address is not asked for a password, whatever the order', () => {
    const step = chooses({ allowed: ['NULL', 'IP', 'PWORD'], required: ['IP'] }, 'PWORD', 'NULL');
    expect(step).toEqual({ kind: 'authenticate', method: 'IP', credentials: null });
  });

  it('a required method is checked even when it was not chosen', () => {
    expect(chooses({ allowed: ['NULL'], required: ['IP'] }, 'NULL')).toMatchObject({
      kind: 'authenticate',
      method: 'IP',
    });
  });

  it('without any method the list is empty and the refusal follows', () => {
    const handshake = new ServerHandshake({ allowed: [], required: [] });
    read(handshake, connect([4, 4, 0], [0, 1, 0x61]));
    expect(hex(handshake.nameFree())).toBe('00f7');
  });

  it('a wrong password is answered 0, then -9', () => {
    const handshake = new ServerHandshake({ allowed: ['PWORD'], required: [] });
    read(handshake, connect([4, 4, 0], [0, 1, 0x61]));
    handshake.nameFree();
    read(handshake, choice('PWORD'));
    const step = read(handshake, Buffer.alloc(40, 'x'));
    expect(step).toMatchObject({
      kind: 'authenticate',
      credentials: { user: 'x'.repeat(32), password: 'x'.repeat(8) },
    });
    expect(hex(handshake.authenticated('PWORD', false))).toBe('00f7');
  });
});

describe('old libraries', () => {
  const answer = (version: readonly number[], policy: AuthPolicy): HandshakeStep => {
    const handshake = new ServerHandshake(policy);
    expect(read(handshake, connect(version, [1, 1, 0x61]))).toMatchObject({ kind: 'check-name', name: 'a' });
    const step = handshake.nameFree();
    return step.kind === 'register' ? handshake.nameAccepted('#a#d') : step;
  };

  it.each([
    ['3.1', [3, 1], '010404042361236 4'],
    ['3.14', [3, 14], '01040404236123 64'],
    ['3.15', [3, 15, 0], '0104040004236123 64'],
  ])('%s: accepted at once, with the parts it knows', (_, version, bytes) => {
    expect(answer(version, NULL_ONLY)).toMatchObject({ kind: 'accept' });
    expect(hex(answer(version, NULL_ONLY))).toBe(bytes.replaceAll(' ', ''));
  });

  it('are checked by IP when it is enabled, else by NULL, and are refused without either', () => {
    expect(answer([3, 14], { allowed: ['NULL', 'IP'], required: [] })).toMatchObject({ method: 'IP' });
    expect(answer([3, 14], { allowed: ['NULL'], required: ['IP'] })).toMatchObject({ method: 'IP' });
    expect(hex(answer([3, 14], { allowed: ['PWORD'], required: [] }))).toBe('f7');
    expect(hex(answer([3, 15, 9], { allowed: ['NULL', 'PWORD'], required: ['PWORD'] }))).toBe('f7');
  });
});

/** A handshake in each of its states, with its answer when it runs out of time or room. */
describe('timeouts and crowding', () => {
  const PASSWORDS: AuthPolicy = { allowed: ['NULL', 'PWORD'], required: [] };
  const start = (): ServerHandshake => new ServerHandshake(PASSWORDS);
  const named = (): ServerHandshake => {
    const handshake = start();
    read(handshake, connect([4, 4, 0], [0, 1, 0x61]));
    return handshake;
  };
  const choosing = (): ServerHandshake => {
    const handshake = named();
    handshake.nameFree();
    return handshake;
  };
  const asked = (): ServerHandshake => {
    const handshake = choosing();
    read(handshake, choice('PWORD'));
    return handshake;
  };
  const verifying = (): ServerHandshake => {
    const handshake = asked();
    read(handshake, Buffer.alloc(40, 'x'));
    return handshake;
  };
  const registering = (): ServerHandshake => {
    const handshake = verifying();
    handshake.authenticated('PWORD', true);
    expect(handshake.next()).toEqual({ kind: 'register' });
    return handshake;
  };

  // Late by the client's fault: silence before the list of methods, -9 after it. By the daemon's fault: -3, after the pending verdict.
  it.each([
    ['CONNECT', start, true, '', 'fd'],
    ['the look for the name', named, false, 'fd', 'fd'],
    ['AUTH-CHOICE', choosing, true, 'f7', 'fd'],
    ['the password', asked, true, 'f7', '01fd'],
    ['its check', verifying, false, '01fd', '01fd'],
    ['the taking of the name', registering, false, 'fd', 'fd'],
  ])('in %s', (_, make, waitsForClient, late, crowded) => {
    expect(make().waitsForClient).toBe(waitsForClient);
    expect(make().timedOut(500)).toMatchObject({ kind: 'refuse', reason: 'handshake: not finished after 500 ms' });
    expect(hex(make().timedOut(500))).toBe(late);
    expect(hex(make().busy('too many'))).toBe(crowded);
  });
});
