import {
  appendFile,
  type FileHandle,
  mkdir,
  mkdtemp,
  open,
  rename,
  rm,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { type FollowOptions, followLines } from '../../cli/lines/follow-lines.ts';
import { LineSplitter, LineTooLongError } from '../../cli/lines/line-splitter.ts';

const texts = (lines: readonly Buffer[]): readonly string[] => lines.map((line) => line.toString('latin1'));

describe('cutting bytes into lines', () => {
  it('gives the same lines however the bytes are cut', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('a', '\n', 'é')), fc.array(fc.nat({ max: 6 })), (characters, cuts) => {
        const bytes = Buffer.from(characters.join(''), 'latin1');
        const splitter = new LineSplitter({ maxLineBytes: 1000 });
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
    const splitter = new LineSplitter({ maxLineBytes: 4 });
    const lines = pieces.flatMap((piece) => splitter.push(Buffer.from(piece)));
    expect(texts(lines)).toEqual(['ab']);
    expect(() => splitter.check()).toThrow(LineTooLongError);
    expect(() => splitter.check()).toThrow(/line 2 is longer than 4 bytes/);
    expect(splitter.end()).toBeNull();
  });
});

describe('lines that are too long', () => {
  const MAX = 8;
  const cut = (longLines: 'skip' | 'split' | 'truncate', bytes: Buffer, pieces: readonly number[]) => {
    const long: number[] = [];
    const splitter = new LineSplitter({ maxLineBytes: MAX, longLines, onLongLine: (line) => long.push(line) });
    const lines: Buffer[] = [];
    let at = 0;
    for (const length of [...pieces, bytes.length]) {
      lines.push(...splitter.push(bytes.subarray(at, at + length)));
      expect(splitter.restBytes).toBeLessThanOrEqual(MAX);
      at += length;
    }
    const rest = splitter.end();
    if (rest !== null) lines.push(rest);
    return { lines: lines.map((line) => line.toString()), long };
  };

  it('are skipped, split or truncated, however the bytes are cut, and all others are unchanged', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: fc.constantFrom('a', 'é', '€', '😀'), maxLength: 12 }), { minLength: 1 }),
        fc.array(fc.nat({ max: 9 })),
        (source, pieces) => {
          const bytes = Buffer.from(`${source.join('\n')}\n`);
          const isLong = (line: string): boolean => Buffer.byteLength(line) > MAX;
          const long = source.flatMap((line, i) => (isLong(line) ? [i + 1] : []));
          const skipped = cut('skip', bytes, pieces);
          expect(skipped).toEqual({ lines: source.filter((line) => !isLong(line)), long });
          const split = cut('split', bytes, pieces);
          expect(split.lines.join('')).toBe(source.join(''));
          expect(split.lines.every((line) => !isLong(line) && !line.includes('\ufffd'))).toBe(true);
          expect(split.long).toEqual(long);
          const truncated = cut('truncate', bytes, pieces);
          expect(truncated.lines).toHaveLength(source.length);
          for (const [i, line] of truncated.lines.entries()) {
            expect(source[i]!.startsWith(line)).toBe(true);
            expect(line === source[i] || Buffer.byteLength(line) > MAX - 4).toBe(true);
          }
        },
      ),
    );
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

  /** Reads lines one by one as they arrive. */
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

  it('waits for the file, and yields the remaining bytes when it is stopped', async () => {
    const lines = follow();
    const first = lines.next();
    await writeFile(file, 'one\ntwo\nunfinished');
    expect(await first).toBe('one');
    await appendFile(file, ' line\nthree\nnot finished');
    stop.abort();
    expect(await lines.take(4)).toEqual(['two', 'unfinished line', 'three', undefined]);
  });

  it('begins at the end, without the rest of an earlier line', async () => {
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

  describe('that cannot be read for a while', () => {
    const disk = (): Error => Object.assign(new Error('EIO: i/o error'), { code: 'EIO' });

    /** The prototype of all file handles. */
    async function handles(): Promise<FileHandle> {
      const handle = await open(folder, 'r');
      await handle.close();
      return Object.getPrototypeOf(handle) as FileHandle;
    }

    /** Makes this many of the next calls fail. */
    function failing(method: 'read' | 'stat', prototype: FileHandle, times: number): { readonly left: () => number } {
      let left = times;
      const original = prototype[method] as (...args: unknown[]) => Promise<unknown>;
      const spy = vi.spyOn(prototype, method as 'stat');
      onTestFinished(() => spy.mockRestore());
      spy.mockImplementation(function (this: FileHandle, ...args: unknown[]): never {
        return (left-- > 0 ? Promise.reject(disk()) : original.apply(this, args)) as never;
      });
      return { left: () => left };
    }

    it.each(['read', 'stat'] as const)('begins at the end that it had, when %s works again', async (method) => {
      await writeFile(file, 'old\nhalf');
      const notes: string[] = [];
      const faults = failing(method, await handles(), 3);
      let isAtEnd: () => void = () => undefined;
      const atEnd = new Promise<void>((resolve) => {
        isAtEnd = resolve;
      });
      // Nothing is read before the file grows, but it is opened.
      const onWaiting = (): void => (method === 'read' || faults.left() < 0 ? isAtEnd() : undefined);
      const first = follow({ fromEnd: true, onWaiting, onNote: (text) => notes.push(text) }).next();
      await atEnd;
      await appendFile(file, ' a line\nnew\n');
      expect(await first).toBe('new');
      expect(notes).toEqual([
        ...(method === 'read'
          ? ['cannot be read: EIO: i/o error; retrying', 'can be read again']
          : ['cannot be opened: EIO: i/o error; retrying', 'is back']),
      ]);
    });

    it('continues after the last byte that it had', async () => {
      await writeFile(file, 'one\n');
      const notes: string[] = [];
      const lines = follow({ onNote: (text) => notes.push(text) });
      expect(await lines.next()).toBe('one');
      failing('read', await handles(), 5);
      await appendFile(file, 'two\nthree\n');
      expect(await lines.take(2)).toEqual(['two', 'three']);
      expect(notes).toEqual(['cannot be read: EIO: i/o error; retrying', 'can be read again']);
    });
  });

  it('reads a renamed file to its end, including bytes written after the new file appears', async () => {
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

  it('closes a renamed file that no longer grows, and yields its unfinished line', async () => {
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

  it('fails when the path is no file at the start', async () => {
    file = folder;
    await expect(follow().next()).rejects.toThrow('is a folder, and cannot be followed');
  });

  it('survives everything that can happen to a file, and reports it', async () => {
    const notes: string[] = [];
    const told = async (text: string): Promise<void> => {
      while (!notes.some((note) => note.includes(text))) await new Promise((resolve) => setTimeout(resolve, 2));
    };
    await writeFile(file, 'one\n');
    const lines = follow({ onNote: (text) => notes.push(text), longLines: 'skip', maxLineBytes: 20 });
    expect(await lines.next()).toBe('one');
    const next = lines.next();
    await rm(file);
    await told('does not exist');
    await mkdir(file);
    await told('is a folder');
    await rm(file, { recursive: true });
    await symlink(file, file);
    await told('cannot be opened: ELOOP');
    await rm(file);
    await writeFile(file, `${'x'.repeat(50)}\ntwo\r\n\0\xff\n`, 'latin1');
    expect(await next).toBe('two\r');
    await told('is back');
    await told('was replaced');
    expect(await lines.next()).toBe('\0\xff');
    const last = lines.next();
    await truncate(file);
    await told('was truncated');
    await appendFile(file, 'three\n');
    expect(await last).toBe('three');
    // Each event is reported once, not at every poll.
    expect(notes.length).toBeLessThan(12);
  });
});
