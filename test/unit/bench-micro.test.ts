import { describe, expect, it } from 'vitest';
import { LoneRingAgent, Output } from '../../bench/micro/agents.ts';
import { families } from '../../bench/micro/families.ts';
import { frameBytes, makeFrames, makeRuns, SENDER, toBigEndian } from '../../bench/micro/frames.ts';
import { measureRow, secondOpinion } from '../../bench/micro/harness.ts';
import { MemoryRing } from '../../bench/micro/memory-ring.ts';
import { duration, formatRow, ROW_HEAD, renderMicroPage, rowCells } from '../../bench/micro/micro-report.ts';
import { disagreement, disagrees, type LoopRow, type MicroResult } from '../../bench/micro/micro-row.ts';
import { EndlessSource } from '../../bench/micro/record-sources.ts';
import { RingCounter } from '../../engine/host/ring-counters.ts';
import { FrameScanner, ScanStatus, SenderIdentity } from '../../engine/wire/frame-scanner.ts';

const result = (fields: Partial<MicroResult>): MicroResult => ({
  family: 'scanner',
  title: '64 B <payload>',
  nanoseconds: 100,
  mean: 100,
  p99: 300,
  relativeMarginPercent: 1.5,
  samples: 1000,
  bytesPerSecond: 1.44e9,
  secondOpinion: null,
  ...fields,
});

describe('two harnesses', () => {
  it('disagree from more than a quarter on, in either direction', () => {
    expect(disagreement({ mean: 100, secondOpinion: 130 })).toBeCloseTo(0.3);
    expect(disagreement({ mean: 100, secondOpinion: null })).toBeNull();
    const verdict = (nanoseconds: number): boolean => disagrees({ mean: 100, secondOpinion: nanoseconds });
    expect([70, 76, 100, 124, 130].map(verdict)).toEqual([true, false, false, false, true]);
  });

  it('are marked in the row and in the page', () => {
    expect(formatRow(rowCells(result({ secondOpinion: 130 })))).toContain('130 ns (+30 %) DISAGREES');
    expect(formatRow(rowCells(result({ secondOpinion: 110 })))).not.toContain('DISAGREES');
    const page = renderMicroPage({
      microReportVersion: 1,
      createdAt: '2026-01-02T03:04:05.000Z',
      command: 'npm run bench:micro',
      commit: 'abc',
      machine: {
        cpu: 'c',
        cores: 2,
        memoryBytes: 1,
        kernel: 'k',
        distribution: 'd',
        node: 'v20',
        loadAverageBefore: 0,
      },
      measureMs: 500,
      families: [{ id: 'scanner', title: 'frame scanner' }],
      results: [result({ secondOpinion: 40 })],
    });
    expect(page).toContain('40.0 ns (-60 %) DISAGREES');
    expect(page).toContain('64 B &lt;payload&gt;');
    for (const head of ROW_HEAD) expect(page).toContain(head);
  });

  it('measure a row by its operations, and call it between untimed preparations', async () => {
    let prepared = 0;
    let calls = 0;
    const row: LoopRow = {
      kind: 'loop',
      title: 'row',
      operations: 1000,
      bytesPerOperation: 8,
      before() {
        prepared++;
      },
      run() {
        calls++;
        if (calls > prepared) throw new Error('not prepared');
      },
    };
    const measured = await measureRow('f', row, { measureMs: 1, warmUpMs: 0, samples: 3 });
    expect(measured.samples).toBeGreaterThanOrEqual(3);
    expect(calls).toBe(prepared);
    expect(measured.bytesPerSecond).toBeCloseTo(8e9 / measured.nanoseconds);
  });

  it('take the time that a row measures itself', async () => {
    const row = { kind: 'sample', title: 'row', bytesPerOperation: null, sample: async () => 0.25 } as const;
    const measured = await measureRow('f', row, { measureMs: 1, warmUpMs: 0, samples: 4 });
    expect(measured).toMatchObject({ nanoseconds: 250_000, samples: 4, bytesPerSecond: null });
  });

  it('give a second opinion per operation', () => {
    let sum = 0;
    const run = (): void => {
      for (let i = 0; i < 100; i++) sum += i;
    };
    const nanoseconds = secondOpinion(
      { kind: 'loop', title: 'row', operations: 100, bytesPerOperation: null, run },
      { measureMs: 20, warmUpMs: 1, samples: 1 },
    );
    expect(sum).toBeGreaterThan(0);
    expect(nanoseconds).toBeGreaterThan(0);
    expect(nanoseconds).toBeLessThan(1e6);
  });

  it.each([
    [0.5, '0.500 ns'],
    [1500, '1.50 µs'],
    [2.5e6, '2.50 ms'],
  ])('%d ns reads %s', (nanoseconds, text) => {
    expect(duration(nanoseconds)).toBe(text);
  });
});

describe('what the rows run', () => {
  it('every family has a name of its own', () => {
    expect(new Set(families.map((family) => family.id)).size).toBe(families.length);
  });

  it('frames of either byte order are one run to the scanner', () => {
    const frames = makeFrames(5, 64);
    const view = new DataView(frames.buffer);
    const scanner = new FrameScanner(64 * 1024);
    for (const prepare of [() => {}, () => toBigEndian(frames, 64)]) {
      prepare();
      expect(scanner.scan(view, 0, frames.length, new SenderIdentity(SENDER))).toBe(ScanStatus.Run);
      expect(scanner.frameCount).toBe(5);
      expect(scanner.end).toBe(5 * frameBytes(64));
    }
  });

  it('a ring in memory forms, rotates when idle, and delivers the same everywhere when loaded', () => {
    const sources = [0, 1, 2].map(() => new EndlessSource(makeRuns(2, 8, 256)));
    const ring = new MemoryRing(sources, 1400);
    ring.form();
    ring.deliver(2000);
    for (const source of sources) source.isOpen = false;
    ring.rotate(20);
    const delivered = ring.nodes.map((node) => node.framesDelivered);
    expect(delivered[0]).toBeGreaterThanOrEqual(2000);
    expect(new Set(delivered).size).toBe(1);
    const before = ring.nodes[0].node.counters[RingCounter.TokenRounds];
    ring.rotate(5);
    expect(ring.nodes[0].node.counters[RingCounter.TokenRounds]).toBe(before + 5);
  });

  it('a lone ring agent orders what is submitted in one cycle', async () => {
    const ring = await LoneRingAgent.create();
    ring.submit(makeFrames(3, 64), 3);
    expect(ring.cycle()).toBe(1);
    expect(ring.takeDelivered()).toBe(1);
  });

  it('an output writes once to each receiver, whatever the number of runs in a row', () => {
    const output = new Output(4);
    expect(output.deliver(makeFrames(8, 64), 8, 3)).toBe(4);
  });
});
