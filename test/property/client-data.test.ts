/** Which data, options and groups a session accepts, and how it refuses the rest. */
import { describe, expect, it } from 'vitest';
import { type Data, type SendOptions, SkeinError } from '../../client/index.ts';
import { libraryFixture } from './support/library-fixture.ts';

const use = libraryFixture();

describe('data', () => {
  const received = (): Promise<Buffer> =>
    new Promise((resolve) => use().session.once('message', ({ data }) => resolve(data)));
  const numbers = Uint16Array.of(1, 2, 0x1234);
  const bytes = Buffer.from(numbers.buffer);

  it.each<[string, Data | readonly Data[], Buffer]>([
    ['a Uint16Array', numbers, bytes],
    ['a view of a part', new Uint8Array(numbers.buffer, 1, 3), bytes.subarray(1, 4)],
    ['a DataView', new DataView(numbers.buffer, 2), bytes.subarray(2)],
    ['an ArrayBuffer', numbers.buffer, bytes],
    ['a SharedArrayBuffer', new SharedArrayBuffer(3), Buffer.alloc(3)],
    [
      'pieces of all kinds',
      ['é', numbers, numbers.buffer, new DataView(numbers.buffer), ''],
      Buffer.concat([Buffer.from('é'), bytes, bytes, bytes]),
    ],
    ['a lone surrogate', '\ud800', Buffer.from('\ufffd')],
    ['nothing', '', Buffer.alloc(0)],
    ['long data of another kind', new Float64Array(10_000), Buffer.alloc(80_000)],
  ])('%s is its bytes', async (_, data, expected) => {
    const next = received();
    use().session.multicast(use().session.privateName, data);
    expect(Buffer.compare(await next, expected)).toBe(0);
  });

  it.each<[unknown, RegExp]>([
    [{ a: 1 }, /^data \(an object\): must be a string, a view of bytes/],
    [5, /^data 5: must be/],
    [null, /^data null: must be/],
    [undefined, /^data undefined: must be/],
    [[1, 2, 3], /^data\[0\] 1: must be/],
    [Promise.resolve('x'), /^data \(a promise; await it first\)/],
    [new String('x'), /^data \(an object\)/],
  ])('%o is refused with field, value and limit', (data, message) => {
    expect(() => use().session.multicast('room', data as Data)).toThrow(message);
    expect(() => use().session.multicast('room', data as Data)).toThrow(SkeinError);
  });

  it('ends the session with a clear error when memory that is being sent is transferred away', async () => {
    const own = await use().open({ copyBelowBytes: 1 });
    const ended = new Promise<unknown>((resolve) => own.once('close', resolve));
    const data = new Uint8Array(1000);
    own.multicast('room', data);
    structuredClone(data.buffer, { transfer: [data.buffer] });
    own.on('error', () => undefined);
    expect(String(await ended)).toMatch(/its ArrayBuffer was transferred or cut before flushed/);
    await use().works();
  });
});

describe('options and groups', () => {
  it.each<[unknown, unknown, RegExp]>([
    [undefined, undefined, /^groups undefined: must be a name or an array of names/],
    [[], undefined, /^groups: none given/],
    [['room', 5], undefined, /^groups\[1\] 5: must be a string/],
    ['room', null, /^options null: must be an object/],
    ['room', 'agreed', /^options "agreed": must be an object/],
    ['room', { servce: 'safe' }, /unknown option "servce"; did you mean "service"\?/],
    ['room', { selfDiscard: 1 }, /^selfDiscard 1: must be true or false/],
    ['room', { type: 'x' }, /^type "x": must be an integer from -32768 to 32767/],
  ])('groups %o, options %o', (groups, options, message) => {
    // Also when the same groups are known already.
    use().session.multicast('room', 'x');
    expect(() => use().session.multicast(groups as string, 'x', options as SendOptions)).toThrow(message);
  });

  it('suggest the intended event for a misspelt one', () => {
    expect(() => use().session.on('mesage' as 'message', () => undefined)).toThrow(/did you mean "message"/);
  });
});
