import { appendFile, mkdtemp, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FollowOptions, followLines } from '../../cli/lines/follow-lines.ts';
import { LineSplitter, LineTooLongError } from '../../cli/lines/line-splitter.ts';

const texts = (lines: readonly Buffer[]): readonly string[] => lines.map((line) => line.toString('latin1'));

describe('cutting bytes into lines', () => {
  it('gives the same lines however the bytes are cut', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('a', '\n', 'é')), fc.array(fc.nat({ max: 6 })), (characters, cuts) => {
        const bytes = Buffer.from(characters.join(''), 'latin1');
        const splitter = new LineSplitter(1000);
        const lines: string[] = [];
        let at = 0;
        for (const length of [...cuts, bytes.length]) {
          lines.push(...texts(splitter.push(bytes.subarray(at, at + length))));
          at += length;
        }
        const rest = splitter.end();
        expect([...lines, rest === null ? '' : rest.toString('latin1')]).toEqual(bytes.toString('latin1').split('\n'));
      }),
    );
  });

  it.each([
    ['in one piece', ['ab\n', '12345\n']],
    ['in pieces', ['ab\n1', '23', '45']],
  ])('names the line that is too long, %s', (_, pieces) => {
    const splitter = new LineSplitter(4);
    const push = (): unknown => pieces.map((piece) => splitter.push(Buffer.from(piece)));
    expect(push).toThrow(LineTooLongError);
    expect(push).toThrow(/line \d is longer than 4 bytes/);
  });
});

describe('following a file', () => {
  let folder = '';
  let file = '';
  let stop = new AbortController();
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'skein-follow-'));
    file = join(folder, 'log');
    stop = new AbortController();
  });
  afterEach(() => rm(folder, { recursive: true }));

  /** Reads lines one by one as they come. */
  function follow(options: Partial<FollowOptions> = {}) {
    const lists = followLines(file, { maxLineBytes: 100, pollMs: 1, signal: stop.signal, ...options });
    const waiting: string[] = [];
    const next = async (): Promise<string | undefined> => {
      while (waiting.length === 0) {
        const { value, done } = await lists.next();
        if (done === true) return undefined;
        waiting.push(...texts(value));
      }
      return waiting.shift();
    };
    return {
      next,
      take: async (count: number): Promise<readonly (string | undefined)[]> => {
        const taken: (string | undefined)[] = [];
        while (taken.length < count) taken.push(await next());
        return taken;
      },
    };
  }

  it('waits for the file, and gives out what is there when told to stop', async () => {
    const lines = follow();
    const first = lines.next();
    await writeFile(file, 'one\ntwo\nunfinished');
    expect(await first).toBe('one');
    await appendFile(file, ' line\nthree\nnot finished');
    stop.abort();
    expect(await lines.take(4)).toEqual(['two', 'unfinished line', 'three', undefined]);
  });

  it('begins at the end, without the rest of a line begun before', async () => {
    await writeFile(file, 'old\nhalf');
    let sawEnd: () => void = () => undefined;
    const atEnd = new Promise<void>((resolve) => {
      sawEnd = resolve;
    });
    const first = follow({ fromEnd: true, onWaiting: () => sawEnd() }).next();
    await atEnd;
    await appendFile(file, ' a line\nnew\n');
    expect(await first).toBe('new');
  });

  it('reads a renamed file to its end, also what is written after the new one is there', async () => {
    await writeFile(file, 'a1\n');
    const lines = follow();
    expect(await lines.next()).toBe('a1');
    await appendFile(file, 'a2\n');
    await rename(file, `${file}.1`);
    await writeFile(file, 'b1\n');
    expect(await lines.take(2)).toEqual(['a2', 'b1']);
    await appendFile(`${file}.1`, 'a3\n');
    expect(await lines.next()).toBe('a3');
    await appendFile(file, 'b2\n');
    expect(await lines.next()).toBe('b2');
  });

  it('lets go of a renamed file that stays quiet, and gives out its unfinished line', async () => {
    await writeFile(file, 'a1\nlast words');
    const lines = follow({ lingerMs: 20 });
    expect(await lines.next()).toBe('a1');
    await rename(file, `${file}.1`);
    await writeFile(file, '');
    expect(await lines.next()).toBe('last words');
  });

  it('starts again when the file is truncated', async () => {
    await writeFile(file, 'a long first line\nunfinished');
    const lines = follow();
    expect(await lines.next()).toBe('a long first line');
    await truncate(file);
    expect(await lines.next()).toBe('unfinished');
    await appendFile(file, 'b\n');
    expect(await lines.next()).toBe('b');
  });

  it('fails on what is no file', async () => {
    file = folder;
    await expect(follow().next()).rejects.toThrow('EISDIR');
  });
});
