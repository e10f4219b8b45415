import { describe, expect, it } from 'vitest';
import { writeName } from '../../engine/wire/frame.ts';
import {
  connectionNameProblem,
  daemonNameProblem,
  groupNameProblem,
  isConnectionName,
  isGroupNameField,
  nameFault,
  nameFieldLength,
  parsePrivateName,
  privateUserLength,
} from '../../engine/wire/names.ts';

/** `name` in a 32-byte field at offset 3, with the garbage that a C client leaves after its NUL. */
function field(name: string): Uint8Array {
  const bytes = new Uint8Array(40).fill(0xff);
  if (name.length < 32) writeName(bytes, 3, name);
  else for (let i = 0; i < 32; i++) bytes[3 + i] = name.charCodeAt(i);
  if (name.length < 31) bytes.fill(0x23, 3 + name.length + 1, 3 + 32);
  return bytes;
}

describe('names in frames', () => {
  it.each([
    ['room', true],
    ['$', true],
    ['~'.repeat(31), true],
    ['g'.repeat(32), false],
    ['', false],
    ['a b', false],
    ['a#b', false],
    ['#a#b', false],
    ['a\x7f', false],
    ['caf\xe9', false],
  ])('group %j: %s', (name, isLegal) => {
    expect(isGroupNameField(field(name), 3)).toBe(isLegal);
    expect(groupNameProblem(name) === null).toBe(isLegal);
  });

  it.each([
    ['#alice#d1', 5],
    ['#1234567890#1234567890123456789', 10],
    ['#$#~', 1],
    ['#12345678901#d1', 0],
    ['#a#12345678901234567890', 0],
    ['##d1', 0],
    ['#a#', 0],
    ['#a', 0],
    ['#', 0],
    ['', 0],
    ['alice#d1', 0],
    ['#a b#d1', 0],
    ['#a#d 1', 0],
    ['#a#d#1', 0],
    ['#\xe9#d1', 0],
  ])('private name %j has a user of %i bytes', (name, length) => {
    expect(privateUserLength(field(name), 3)).toBe(length);
    const parts = parsePrivateName(name);
    expect(parts).toEqual(length === 0 ? null : { user: name.slice(1, 1 + length), daemon: name.slice(length + 2) });
  });

  it('accepts a field as a private name only when it ends in NUL', () => {
    const bytes = field('x'.repeat(32));
    writeName(bytes, 3, `#a#${'d'.repeat(19)}`);
    expect(privateUserLength(bytes, 3)).toBe(1);
    expect(nameFieldLength(field('x'.repeat(32)), 3)).toBe(32);
    expect(nameFieldLength(field('x'.repeat(31)), 3)).toBe(31);
  });

  it.each([
    ['alice', true],
    ['1234567890', true],
    ['12345678901', false],
    ['', false],
    ['a#', false],
    ['\x7f', false],
  ])('connection name %j: %s', (name, isLegal) => {
    const bytes = Buffer.from(`xx${name}`, 'latin1');
    expect(isConnectionName(bytes, 2, name.length)).toBe(isLegal);
    expect(connectionNameProblem(name) === null).toBe(isLegal);
  });
});

describe('the error for a bad name', () => {
  it.each([
    ['my room', 'character 3 is " " (0x20)'],
    ['#room', 'character 1 is "#" (0x23)'],
    ['a!', 'character 2 is "!" (0x21)'],
    ['a\x7f', 'character 2 is "\x7f" (0x7f)'],
    ['a\n', 'character 2 is "\\n" (0x0a)'],
    ['caf\xe9', 'character 4 is "\xe9" (U+00e9)'],
    ['\u{1f600} x', 'character 1 is "\u{1f600}" (U+1f600)'],
    ['a\ud800', 'character 2 is "\\ud800" (U+d800)'],
    ['', 'it is empty'],
    ['x'.repeat(32), 'it has 32'],
    // The illegal character is reported first.
    [`${'x'.repeat(40)} `, 'character 41 is " " (0x20)'],
    ['x'.repeat(31), null],
  ])('of %j: %s', (name, fault) => {
    expect(nameFault(name, 31)).toBe(fault);
  });

  it('names the field, the value and the limit', () => {
    const bytes = 'bytes from 0x24 "$" to 0x7e "~"';
    expect(connectionNameProblem('')).toBe(`private name "": must be 1 to 10 ${bytes}; it is empty`);
    expect(connectionNameProblem('abcdefghijk')).toBe(
      `private name "abcdefghijk": must be 1 to 10 ${bytes}; it has 11`,
    );
    expect(groupNameProblem('a b')).toBe(`group name "a b": must be 1 to 31 ${bytes}; character 2 is " " (0x20)`);
    expect(daemonNameProblem('d'.repeat(20))).toBe(
      `daemon name "${'d'.repeat(20)}": must be 1 to 19 ${bytes}; it has 20`,
    );
    expect(daemonNameProblem('d'.repeat(19))).toBeNull();
  });
});
