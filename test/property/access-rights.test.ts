/** Patterns, address ranges and the rights of a client agree with their simplest implementation, for any names. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseAccessFile } from '../../engine/access/access-file.ts';
import { rightOfTarget, verdict } from '../../engine/access/access-rules.ts';
import { contains, parseAddress, parseRange } from '../../engine/access/address-range.ts';
import { matchesBytes, matchesText } from '../../engine/access/name-pattern.ts';
import { SubjectRights } from '../../engine/access/subject-rights.ts';
import { canonicalName, hashNameWords, NAME_WORDS, nameWords } from '../../engine/wire/name-hash.ts';

/** Few letters, so that patterns match often. */
const name = fc.string({ unit: fc.constantFrom('a', 'b', '.'), minLength: 1, maxLength: 12 });
const pattern = fc
  .array(fc.oneof(fc.string({ unit: fc.constantFrom('a', 'b', '.'), maxLength: 3 }), fc.constant('*')), {
    maxLength: 7,
  })
  .map((parts) => parts.join('').replaceAll(/\*+/g, '*'));

/** The meaning of `*`, character by character. */
function fits(glob: string, text: string): boolean {
  if (glob === '') return text === '';
  if (glob[0] === '*') return fits(glob.slice(1), text) || (text !== '' && fits(glob, text.slice(1)));
  return text !== '' && glob[0] === text[0] && fits(glob.slice(1), text.slice(1));
}

it('a pattern matches by its characters, as bytes and as text', () => {
  fc.assert(
    fc.property(pattern, name, fc.nat(5), (glob, text, before) => {
      const bytes = Buffer.from(`${'x'.repeat(before)}${text}xx`, 'latin1');
      const expected = fits(glob, text);
      expect([matchesText(glob, text), matchesBytes(glob, bytes, before, before + text.length)]).toEqual([
        expected,
        expected,
      ]);
    }),
    { numRuns: 3000 },
  );
});

it('a pattern that nearly matches is cheap to check', () => {
  const glob = `${'a*'.repeat(15)}b`;
  const text = 'a'.repeat(31);
  const bytes = Buffer.from(text);
  for (let i = 0; i < 1000; i++) expect(matchesText(glob, text) || matchesBytes(glob, bytes, 0, 31)).toBe(false);
});

describe('a range', () => {
  const bitsOf = (groups: readonly number[]): string =>
    groups.map((group) => group.toString(2).padStart(16, '0')).join('');
  const ipv4 = fc.array(fc.nat(255), { minLength: 4, maxLength: 4 }).map((octets) => octets.join('.'));
  const ipv6 = fc.ipV6();

  it.each([
    ['IPv4', ipv4, 32],
    ['IPv6', ipv6, 128],
  ] as const)('of %s has the addresses that begin with its bits', (_, address, width) => {
    fc.assert(
      fc.property(address, address, fc.nat(width), fc.nat(width), (base, other, prefixBits, same) => {
        const all = parseAddress(base)!;
        fc.pre(all.length * 16 === width);
        const network = all.map((group, i) => {
          const bits = Math.min(16, Math.max(0, prefixBits - 16 * i));
          return (group >>> (16 - bits)) << (16 - bits);
        });
        // An address that shares some bits with it, or any other.
        const near = [...bitsOf(all)].map((bit, i) => (i < same ? bit : '1')).join('');
        const groups = Array.from({ length: width / 16 }, (__, i) =>
          Number.parseInt(near.slice(16 * i, 16 * i + 16), 2),
        );
        const far = parseAddress(other)!;
        for (const one of [all, groups, ...(far.length === all.length ? [far] : [])])
          expect(contains({ network, prefixBits }, one)).toBe(
            bitsOf(one).startsWith(bitsOf(network).slice(0, prefixBits)),
          );
        expect(contains({ network, prefixBits }, width === 32 ? [0, 0, 0, 0, 0, 0, 0, 0] : [0, 0])).toBe(false);
      }),
    );
  });

  it('is read as it is written', () => {
    fc.assert(
      fc.property(ipv6, fc.nat(128), (base, prefixBits) => {
        const address = parseAddress(base);
        expect(address).not.toBeNull();
        fc.pre(address!.length === 8);
        expect(parseRange(`${base}/${prefixBits}`)).toEqual({ network: address, prefixBits });
        expect(parseAddress(`${base}%eth0`)).toEqual(address);
      }),
    );
  });
});

const field = (text: string, garbage: Uint8Array): Buffer => {
  const bytes = Buffer.alloc(32);
  bytes.set(garbage.subarray(0, 32));
  bytes.write(text.slice(0, 31), 'latin1');
  if (text.length < 31) bytes[text.length] = 0;
  return bytes;
};

const target = fc.oneof(
  name,
  fc.constant(''),
  name.map((one) => `#${one.slice(0, 10)}#d`),
  name.map((one) => `#${one}`),
);
const groupPattern = pattern.filter((one) => one !== '' && one.replaceAll('*', '').length <= 31);
const line = fc
  .tuple(
    fc.constantFrom('anyone', 'unix', 'user a', 'user *b', 'address 10.0.0.0/8', 'user a unix', 'certificate *c'),
    fc.array(groupPattern, { maxLength: 3 }),
    fc.array(groupPattern, { maxLength: 3 }),
    fc.option(
      fc.array(
        groupPattern.map((one) => one.slice(0, 8)),
        { maxLength: 2 },
      ),
    ),
  )
  .map(([who, join, send, privates]) =>
    [
      who,
      ...(join.length > 0 ? ['join', ...join] : []),
      ...(send.length > 0 ? ['send', ...send] : []),
      ...(privates === null ? [] : ['private', ...privates]),
      'admin',
    ].join(' '),
  );
const subject = fc.record({
  user: fc.constantFrom(null, 'a', 'ab', 'c'),
  certificate: fc.constantFrom(null, 'c', 'xc'),
  address: fc.constantFrom(null, '10.1.1.1', '11.1.1.1'),
  isUnix: fc.boolean(),
});

it('the rights of a client are the verdicts of the rules, in any order and repeatedly', () => {
  const garbage = fc.uint8Array({ minLength: 32, maxLength: 32 });
  const questions = fc.array(fc.tuple(target, garbage, fc.boolean()), { minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(fc.array(line, { maxLength: 6 }), subject, questions, (lines, who, asked) => {
      const { rules } = parseAccessFile(lines.join('\n'), 'rules');
      const rights = new SubjectRights(rules, who);
      const words = new Int32Array(NAME_WORDS);
      for (const [text, behind, isHashed] of [...asked, ...asked]) {
        const bytes = field(text, behind);
        const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
        canonicalName(view, 0, words, 0);
        const hash = isHashed ? hashNameWords(words, 0) : 0;
        expect(rights.maySendTo(bytes, view, 0, hash), `send ${text}`).toBe(
          verdict(rules, who, rightOfTarget(text), text).isAllowed,
        );
        expect(rights.mayJoin(bytes, view, 0), `join ${text}`).toBe(verdict(rules, who, 'join', text).isAllowed);
      }
    }),
    { numRuns: 500 },
  );
});

it('a name with the hash of an allowed one is not allowed', () => {
  // Found by trying names until two had one hash.
  const [allowed, twin] = ['gxji0', 'g10005'];
  expect(hashNameWords(nameWords(allowed), 0)).toBe(hashNameWords(nameWords(twin), 0));
  const rights = new SubjectRights(parseAccessFile(`anyone send ${allowed}`, 'rules').rules, {
    ...{ user: null, certificate: null, address: null, isUnix: false },
  });
  const ask = (text: string): boolean => {
    const bytes = field(text, new Uint8Array(32));
    return rights.maySendTo(
      bytes,
      new DataView(bytes.buffer, bytes.byteOffset, 32),
      0,
      hashNameWords(nameWords(text), 0),
    );
  };
  expect([ask(allowed), ask(twin), ask(allowed), ask(twin)]).toEqual([true, false, true, false]);
});
