/** Messages of SCRAM-SHA-256: the example of RFC 7677, and what is wrong with each field of each message. */
import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { scramProof } from '../../client/scram.ts';
import { DeliveryCounter } from '../../engine/buffers/counters.ts';
import {
  authMessage,
  clientFinalWithoutProof,
  clientFirst,
  clientFirstBare,
  parseClientFinal,
  parseClientFirst,
  parseServerFinal,
  parseServerFirst,
} from '../../engine/wire/scram-messages.ts';
import { normalPassword, normalUser } from '../../engine/wire/scram-text.ts';
import { LiveValue } from '../../workers/delivery/live.ts';
import { ScramCredentials } from '../../workers/delivery/scram-credentials.ts';

/** RFC 7677, section 3. */
const RFC = {
  user: 'user',
  password: 'pencil',
  clientNonce: 'rOprNGfwEbeRWgbNEkqO',
  nonce: 'rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0',
  salt: 'W22ZaJ0SNY7soEsUEjb6gQ==',
  iterations: 4096,
  proof: 'dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=',
  signature: '6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=',
};
const SERVER_FIRST = `r=${RFC.nonce},s=${RFC.salt},i=${RFC.iterations}`;
const FINAL = `c=biws,r=${RFC.nonce}`;
const SIGNED = `n=user,r=${RFC.clientNonce},${SERVER_FIRST},${FINAL}`;

const keys = (password: string, salt: string, iterations: number) => {
  const salted = pbkdf2Sync(password, Buffer.from(salt, 'base64'), iterations, 32, 'sha256');
  const clientKey = createHmac('sha256', salted).update('Client Key').digest();
  return {
    storedKey: createHash('sha256').update(clientKey).digest('base64'),
    serverKey: createHmac('sha256', salted).update('Server Key').digest('base64'),
  };
};

const problemOf = (read: object): string => ('problem' in read ? String(read.problem) : '');

describe('the example of RFC 7677', () => {
  it('is what the client sends and expects', async () => {
    expect(clientFirst(RFC.user, RFC.clientNonce)).toBe(`n,,n=user,r=${RFC.clientNonce}`);
    expect(parseServerFirst(SERVER_FIRST, RFC.clientNonce)).toEqual({
      nonce: RFC.nonce,
      salt: RFC.salt,
      iterations: 4096,
    });
    expect(clientFinalWithoutProof(RFC.nonce)).toBe(FINAL);
    const signed = authMessage(clientFirstBare(RFC.user, RFC.clientNonce), SERVER_FIRST, FINAL);
    expect(signed).toBe(SIGNED);
    const { proof, signature } = await scramProof(
      crypto.subtle,
      RFC.password,
      RFC,
      new TextEncoder().encode(signed) as Uint8Array<ArrayBuffer>,
    );
    expect(Buffer.from(proof).toString('base64')).toBe(RFC.proof);
    expect(Buffer.from(signature).toString('base64')).toBe(RFC.signature);
    expect(parseServerFinal(`v=${RFC.signature}`)).toEqual({ signature: RFC.signature });
  });

  it('is what the daemon takes and answers', () => {
    expect(parseClientFirst(`n,,n=user,r=${RFC.clientNonce}`)).toEqual({
      user: 'user',
      nonce: RFC.clientNonce,
      header: 'n,,',
      bare: `n=user,r=${RFC.clientNonce}`,
    });
    const final = parseClientFinal(`${FINAL},p=${RFC.proof}`, 'n,,', RFC.nonce);
    expect(final).toEqual({ binding: 'biws', nonce: RFC.nonce, proof: RFC.proof, withoutProof: FINAL });
    const { salt, iterations } = RFC;
    const entry = { user: 'user', salt, iterations, ...keys(RFC.password, salt, iterations) };
    const counters = new Float64Array(128);
    const settings = new LiveValue({ scram: { entries: new Map([['user', entry]]), secret: '' } });
    const credentials = new ScramCredentials(settings, counters);
    const question = { kind: 'scram-prove', user: 'user', authMessage: SIGNED, proof: RFC.proof } as const;
    expect(credentials.signature(question)).toBe(RFC.signature);
    const wrong = Buffer.from(RFC.proof, 'base64');
    wrong[0]! ^= 1;
    expect(credentials.signature({ ...question, proof: wrong.toString('base64') })).toBeNull();
    expect(credentials.signature({ ...question, user: 'nobody' })).toBeNull();
    expect(credentials.signature({ ...question, authMessage: `${SIGNED}x` })).toBeNull();
    expect(counters[DeliveryCounter.PasswordsChecked]).toBe(4);
    expect(counters[DeliveryCounter.PasswordsWrong]).toBe(3);
  });
});

describe('unknown users', () => {
  const KEY = Buffer.alloc(32, 9).toString('base64');
  const salt = Buffer.alloc(16, 3).toString('base64');
  const entry = { user: 'alice', iterations: 7000, salt, storedKey: KEY, serverKey: KEY };
  const of = (secret: string) => {
    const settings = new LiveValue({ scram: { entries: new Map([['alice', entry]]), secret } });
    return new ScramCredentials(settings, new Float64Array(128));
  };

  it('get the like of what known users get, and always the same', () => {
    const known = of(KEY).challenge('alice');
    const one = of(KEY).challenge('bob');
    expect(known).toMatchObject({ salt, iterations: 7000 });
    expect(one.iterations).toBe(known.iterations);
    expect(one.salt).toHaveLength(known.salt.length);
    expect(one.nonce).toHaveLength(known.nonce.length);
    expect(one.nonce).not.toBe(known.nonce);
    expect(of(KEY).challenge('bob').salt).toBe(one.salt);
    expect(of(KEY).challenge('carol').salt).not.toBe(one.salt);
    expect(of(salt).challenge('bob').salt).not.toBe(one.salt);
    expect(of(KEY).challenge('bob').nonce).not.toBe(one.nonce);
  });
});

describe('what is refused', () => {
  const first = (text: string): string => problemOf(parseClientFirst(text));
  it.each([
    ['nothing', '', /header/],
    ['binding of the channel', 'p=tls-unique,,n=user,r=abc', /channel binding.*must be none/],
    ['another user to act for', 'n,a=root,n=user,r=abc', /header/],
    ['no user', 'n,,r=abc', /user/],
    ['an empty user', 'n,,n=,r=abc', /user ""/],
    ['a user of 32 bytes', `n,,n=${'u'.repeat(32)},r=abc`, /user "u+": must be 1 to 31 bytes/],
    ['a user of 32 bytes in 16 characters', `n,,n=${'ü'.repeat(16)},r=abc`, /user/],
    ['an open escape', 'n,,n=a=b,r=abc', /user "a=b"/],
    ['a lower-case escape', 'n,,n=a=2cb,r=abc', /user/],
    ['a control character', 'n,,n=a\u0001,r=abc', /user/],
    ['a blank', 'n,,n=a b,r=abc', /user/],
    ['what is no UTF-8', 'n,,n=a\ufffd,r=abc', /user/],
    ['an unknown mandatory extension', 'n,,m=x,n=user,r=abc', /user "m=x"/],
    ['no nonce', 'n,,n=user', /nonce/],
    ['an empty nonce', 'n,,n=user,r=', /nonce/],
    ['a nonce with a blank', 'n,,n=user,r=a b', /nonce/],
    ['a nonce of 65 characters', `n,,n=user,r=${'x'.repeat(65)}`, /nonce .*1 to 64/],
    ['an extension that is none', 'n,,n=user,r=abc,', /extension/],
  ])('of a first message: %s', (_, text, problem) => {
    expect(first(text)).toMatch(problem);
  });

  it.each([
    ['n,,n=a=2Cb=3Dc,r=abc', 'a,b=c'],
    ['y,,n=user,r=abc', 'user'],
    ['n,,n=user,r=abc,x=later', 'user'],
    ['n,,n=\u2168,r=abc', 'IX'],
  ])('but not %j', (text, user) => {
    expect(parseClientFirst(text)).toMatchObject({ user });
  });

  const server = (text: string): string => problemOf(parseServerFirst(text, 'abc'));
  const salt = Buffer.alloc(16).toString('base64');
  it.each([
    ['nothing', '', /nonce/],
    ["a nonce that is not the client's", `r=abX,s=${salt},i=4096`, /nonce.*begin with the nonce of this client/],
    ['a nonce that the daemon added nothing to', `r=abc,s=${salt},i=4096`, /nonce.*continued by the daemon/],
    ['a nonce of the daemon of 65 characters', `r=abc${'x'.repeat(65)},s=${salt},i=4096`, /nonce/],
    ['no salt', 'r=abcd,i=4096', /salt/],
    ['a salt that is no base64', 'r=abcd,s=????,i=4096', /salt/],
    ['a salt of 4 bytes', 'r=abcd,s=AAAAAA==,i=4096', /salt.*8 to 48 bytes/],
    ['a salt of 49 bytes', `r=abcd,s=${Buffer.alloc(49).toString('base64')},i=4096`, /salt/],
    ['no iterations', `r=abcd,s=${salt}`, /iterations/],
    ['4095 iterations', `r=abcd,s=${salt},i=4095`, /iterations "i=4095": must be "i=" and 4096 to 1000000/],
    ['1000001 iterations', `r=abcd,s=${salt},i=1000001`, /iterations/],
    ['iterations that are no number', `r=abcd,s=${salt},i=0x5000`, /iterations/],
    ['an unknown mandatory extension', `m=x,r=abcd,s=${salt},i=4096`, /nonce/],
    ['an extension that is none', `r=abcd,s=${salt},i=4096,1`, /extension/],
  ])("of the daemon's first message: %s", (_, text, problem) => {
    expect(server(text)).toMatch(problem);
  });

  const proof = Buffer.alloc(32).toString('base64');
  const final = (text: string, header = 'n,,'): string => problemOf(parseClientFinal(text, header, 'abcd'));
  it.each([
    ['nothing', '', /channel binding/],
    ['another header', `c=eSws,r=abcd,p=${proof}`, /channel binding/],
    ['no nonce', `c=biws,p=${proof}`, /nonce/],
    ['the nonce of another exchange', `c=biws,r=abcX,p=${proof}`, /nonce "r=abcX": must be the nonce of this exchange/],
    ['no proof', 'c=biws,r=abcd', /proof/],
    ['a proof of 31 bytes', `c=biws,r=abcd,p=${Buffer.alloc(31).toString('base64')}`, /proof/],
    ['a proof that is no base64', 'c=biws,r=abcd,p=!', /proof/],
    ['something behind the proof', `c=biws,r=abcd,p=${proof},x=y`, /proof/],
    ['an extension that is none', `c=biws,r=abcd,=,p=${proof}`, /extension/],
  ])('of a last message: %s', (_, text, problem) => {
    expect(final(text)).toMatch(problem);
  });

  it('but not an extension in front of the proof, or the other header where it was given', () => {
    expect(final(`c=biws,r=abcd,x=y,p=${proof}`)).toBe('');
    expect(final(`c=eSws,r=abcd,p=${proof}`, 'y,,')).toBe('');
  });

  it.each([
    ['nothing', '', /signature/],
    ['an error', 'e=invalid-proof', /the daemon says "e=invalid-proof"/],
    ['a signature of 31 bytes', `v=${Buffer.alloc(31).toString('base64')}`, /signature/],
    ['an extension that is none', `v=${proof},`, /extension/],
  ])("of the daemon's last message: %s", (_, text, problem) => {
    expect(problemOf(parseServerFinal(text))).toMatch(problem);
  });
});

describe('users and passwords', () => {
  it('are the same however they are typed', () => {
    expect(normalUser('Zoe\u0308')).toBe(normalUser('Zo\u00eb'));
    expect(normalPassword('\u2168\u00a0x')).toBe('IX x');
    expect(normalPassword(' blank ')).toBe(' blank ');
  });

  it.each(['', 'a:b', '#a', 'a*', 'a\u0000', 'a\u00ad', 'a\ud800', 'a\u2028b'])('%j is no user', (text) => {
    expect(normalUser(text)).toBeNull();
  });

  it.each(['', 'a\u0007', 'a\u007f', 'a\u200b', '\udc00', 'x'.repeat(1025)])('%j is no password', (text) => {
    expect(normalPassword(text)).toBeNull();
  });
});
