/** The log sink with a target that refuses, takes parts, disappears and comes back. */
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type LogGap, LogSink, MAX_WAITING_BYTES } from '../../daemon/log-sink.ts';
import type { LogTarget } from '../../daemon/log-target.ts';

const RETRY_MS = 200;

/** A file with `room` bytes left, or a pipe; errors as the system gives them. */
class FakeFile {
  text = '';
  room = Number.POSITIVE_INFINITY;
  /** Bytes taken by one write at most. */
  bite = Number.POSITIVE_INFINITY;
  code = 'ENOSPC';
  linked = true;
  beginsTorn = false;
  closed = false;

  target(): LogTarget {
    return {
      write: (bytes, offset) => {
        if (this.room === 0) throw Object.assign(new Error(this.code), { code: this.code });
        const taken = Math.min(bytes.length - offset, this.room, this.bite);
        this.text += bytes.toString('latin1', offset, offset + taken);
        this.room -= taken;
        return taken;
      },
      beginsTorn: this.beginsTorn,
      isLinked: () => this.linked,
      handOver: () => {},
      close: () => {
        this.closed = true;
      },
    };
  }
}

const describeGap = ({ lost, late, reason }: LogGap): string => `gap ${lost} ${late} ${reason}\n`;

function sinkOn(...files: readonly FakeFile[]): LogSink {
  let next = 0;
  return new LogSink({ open: () => files[Math.min(next++, files.length - 1)]!.target(), describeGap });
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('a full disk', () => {
  it('keeps lines, completes the cut one, and logs that they are late', () => {
    const file = new FakeFile();
    const sink = sinkOn(file);
    file.room = 3;
    sink.write('one\n');
    sink.write('two\n');
    expect(file.text).toBe('one');
    file.room = Number.POSITIVE_INFINITY;
    vi.advanceTimersByTime(RETRY_MS);
    expect(file.text).toBe('one\ntwo\ngap 0 2 ENOSPC\n');
    sink.write('three\n');
    expect(file.text).toBe('one\ntwo\ngap 0 2 ENOSPC\nthree\n');
    expect(sink.linesLost).toBe(0);
  });

  it('drops and counts lines beyond the limit, and logs the gap at its place', () => {
    const file = new FakeFile();
    const sink = sinkOn(file);
    const told: number[] = [];
    sink.onLost = (lost) => told.push(lost);
    file.room = 0;
    const line = `${'x'.repeat(1023)}\n`;
    const kept = MAX_WAITING_BYTES / line.length;
    for (let i = 0; i < kept + 10; i++) sink.write(line);
    // This line would fit, but lines stay in order.
    sink.write('short\n');
    expect(sink.linesLost).toBe(11);
    expect(told.at(-1)).toBe(11);
    file.room = Number.POSITIVE_INFINITY;
    vi.advanceTimersByTime(RETRY_MS);
    sink.write('after\n');
    const lines = file.text.split('\n');
    expect(lines).toHaveLength(kept + 3);
    expect(lines.slice(-3)).toEqual([`gap 11 ${kept} ENOSPC`, 'after', '']);
  });

  it('accepts a line longer than the whole limit, and the lines after it', () => {
    const file = new FakeFile();
    const sink = sinkOn(file);
    const long = `${'x'.repeat(MAX_WAITING_BYTES)}\n`;
    sink.write(long);
    sink.write('after\n');
    expect([file.text === `${long}after\n`, sink.linesLost]).toEqual([true, 0]);
    Object.assign(file, { text: '', room: 0 });
    for (const line of [long, 'lost\n']) sink.write(line);
    file.room = Number.POSITIVE_INFINITY;
    vi.advanceTimersByTime(RETRY_MS);
    sink.write('later\n');
    expect(file.text).toBe(`${long}gap 1 1 ENOSPC\nlater\n`);
  });

  it('logs each of several gaps', () => {
    const file = new FakeFile();
    const sink = sinkOn(file);
    for (let i = 0; i < 3; i++) {
      file.room = 0;
      sink.write('x\n');
      file.room = Number.POSITIVE_INFINITY;
      sink.write('y\n');
    }
    expect(file.text).toBe('x\ngap 0 1 ENOSPC\ny\n'.repeat(3));
  });
});

it.each(['ENOSPC', 'EIO', 'EDQUOT', 'EFBIG', 'EROFS', 'EBADF', 'EPIPE', 'EAGAIN', 'ENXIO'])(
  'never throws, whatever the system says: %s',
  (code) => {
    const file = new FakeFile();
    const sink = sinkOn(file);
    Object.assign(file, { room: 0, code });
    for (let i = 0; i < 5; i++) sink.write('line\n');
    vi.advanceTimersByTime(10 * RETRY_MS);
    file.room = Number.POSITIVE_INFINITY;
    vi.advanceTimersByTime(RETRY_MS);
    expect(file.text).toBe(`${'line\n'.repeat(5)}${code === 'EAGAIN' ? '' : `gap 0 5 ${code}\n`}`);
  },
);

it('does not write the second half of a line to another reader', () => {
  const file = new FakeFile();
  const sink = sinkOn(file);
  Object.assign(file, { room: 2, code: 'EPIPE' });
  sink.write('one\n');
  sink.write('two\n');
  file.text = '';
  file.room = Number.POSITIVE_INFINITY;
  vi.advanceTimersByTime(RETRY_MS);
  sink.write('three\n');
  expect(file.text).toBe('gap 2 0 EPIPE\nthree\n');
  expect(sink.linesLost).toBe(2);
});

describe('opening', () => {
  it.each(['EACCES', 'EISDIR', 'EROFS', 'ENOTDIR'])('fails at the start on a permanent error: %s', (code) => {
    const open = (): never => {
      throw Object.assign(new Error(code), { code });
    };
    expect(() => new LogSink({ open, describeGap })).toThrow(code);
  });

  it.each(['ENOSPC', 'ENXIO', 'EMFILE'])('is retried after a temporary error: %s', (code) => {
    const file = new FakeFile();
    let fails = true;
    const open = (): LogTarget => {
      if (fails) throw Object.assign(new Error(code), { code });
      return file.target();
    };
    const sink = new LogSink({ open, describeGap });
    sink.write('one\n');
    fails = false;
    vi.advanceTimersByTime(RETRY_MS);
    expect(file.text).toBe(`one\ngap 0 1 ${code}\n`);
  });

  it('ends a line that an earlier process left unfinished', () => {
    const file = new FakeFile();
    file.beginsTorn = true;
    file.text = '{"half';
    sinkOn(file).write('whole\n');
    expect(file.text).toBe('{"half\nwhole\n');
  });

  it('creates the file again when it was removed', () => {
    const [removed, made] = [new FakeFile(), new FakeFile()];
    const sink = sinkOn(removed, made);
    sink.write('one\n');
    removed.linked = false;
    sink.write('two\n');
    expect([removed.text, made.text, removed.closed]).toEqual(['one\n', 'two\n', true]);
  });

  it('again writes earlier lines to the old file, and a cut line as a whole to the new one', () => {
    const [old, fresh] = [new FakeFile(), new FakeFile()];
    const sink = sinkOn(old, fresh);
    sink.write('one\n');
    old.room = 2;
    sink.write('two\n');
    sink.reopen();
    expect([old.text, old.closed]).toEqual(['one\ntw', true]);
    expect(fresh.text).toBe('two\ngap 0 1 ENOSPC\n');
  });

  it('again uses the new file, even when closing the old one fails', () => {
    const [old, fresh] = [new FakeFile(), new FakeFile()];
    const failing: LogTarget = {
      ...old.target(),
      close: () => {
        throw Object.assign(new Error('EIO'), { code: 'EIO' });
      },
    };
    const targets = [failing, fresh.target()];
    const sink = new LogSink({ open: () => targets.shift()!, describeGap });
    sink.reopen();
    sink.write('one\n');
    expect([old.text, fresh.text]).toEqual(['', 'one\n']);
  });

  it('again keeps the old file when the new one cannot be opened', () => {
    const file = new FakeFile();
    let opened = 0;
    const open = (): LogTarget => {
      if (opened++ > 0) throw new Error('EACCES');
      return file.target();
    };
    const sink = new LogSink({ open, describeGap });
    expect(() => sink.reopen()).toThrow('EACCES');
    sink.write('one\n');
    expect([file.text, file.closed]).toEqual(['one\n', false]);
  });
});

describe('the end', () => {
  it('waits while a reader keeps reading', async () => {
    const file = new FakeFile();
    const sink = sinkOn(file);
    Object.assign(file, { room: 0, code: 'EAGAIN' });
    for (let i = 0; i < 100; i++) sink.write('0123456\n');
    const closing = sink.close();
    for (let i = 0; i < 90; i++) {
      file.room += 8;
      await vi.advanceTimersByTimeAsync(100);
    }
    expect(file.closed).toBe(false);
    file.room += 80;
    await vi.advanceTimersByTimeAsync(100);
    await closing;
    expect([file.text, file.closed]).toEqual(['0123456\n'.repeat(100), true]);
  });

  it('does not wait for a reader that reads nothing', async () => {
    const file = new FakeFile();
    const sink = sinkOn(file);
    file.room = 0;
    sink.write('one\n');
    const closing = sink.close();
    await vi.advanceTimersByTimeAsync(300);
    await closing;
    expect([file.closed, sink.linesLost]).toEqual([true, 1]);
    sink.write('two\n');
    sink.reopen();
    vi.advanceTimersByTime(10 * RETRY_MS);
    expect(vi.getTimerCount()).toBe(0);
  });
});

it('keeps every line whole and in order, and counts the dropped ones, whatever the room', () => {
  const step = fc.oneof(
    {
      weight: 3,
      arbitrary: fc.record({ kind: fc.constant('write' as const), length: fc.integer({ min: 1, max: 9000 }) }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant('room' as const), bytes: fc.integer({ min: 0, max: 20_000 }) }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('time' as const) }) },
  );
  fc.assert(
    fc.property(fc.array(step, { minLength: 20, maxLength: 200 }), fc.integer({ min: 1, max: 5000 }), (steps, bite) => {
      const file = new FakeFile();
      Object.assign(file, { room: 0, bite });
      const sink = sinkOn(file);
      let written = 0;
      for (const action of steps) {
        if (action.kind === 'write') sink.write(`${written++} ${'x'.repeat(action.length)}\n`);
        else if (action.kind === 'room') file.room += action.bytes;
        else vi.advanceTimersByTime(RETRY_MS);
      }
      file.room = Number.POSITIVE_INFINITY;
      vi.advanceTimersByTime(RETRY_MS);
      const lines = file.text.split('\n').slice(0, -1);
      let next = 0;
      for (const line of lines) {
        const gap = /^gap (\d+) \d+ \w+$/.exec(line);
        if (gap !== null) next += Number(gap[1]);
        else expect(line).toMatch(new RegExp(`^${next++} x+$`));
      }
      expect(next).toBe(written);
    }),
    { numRuns: 200 },
  );
});
