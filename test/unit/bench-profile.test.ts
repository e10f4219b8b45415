import { describe, expect, it } from 'vitest';
import { clinicCommand, clinicPage, isClinicTool } from '../../bench/profile/clinic.ts';
import { type CpuProfile, formatSummary, parseCpuProfile, summarise } from '../../bench/profile/cpu-profile.ts';

const node = (id: number, functionName: string, url = 'file:///d/x.js'): CpuProfile['nodes'][number] => ({
  id,
  callFrame: { functionName, url, lineNumber: id, columnNumber: 0 },
});

/** One sample of 1 ms each. */
const profileOf = (nodes: CpuProfile['nodes'], samples: readonly number[]): CpuProfile => ({
  nodes,
  startTime: 1_000_000,
  samples: [...samples],
  timeDeltas: samples.map(() => 1000),
});

const everything = { fromMs: 0, toMs: Number.POSITIVE_INFINITY };
const locate = (url: string, line: number): string => `${url.slice(-4)}:${line + 1}`;

describe('summary of a CPU profile', () => {
  const nodes = [node(1, 'scan'), node(2, '(idle)', ''), node(3, 'wait'), node(4, ''), node(5, 'unused')];

  it('adds self times up and leaves waiting out', () => {
    const summary = summarise(profileOf(nodes, [1, 1, 1, 2, 2, 3, 4]), locate, everything);
    expect(summary.totalMs).toBe(7);
    expect(summary.busyMs).toBe(4);
    expect(summary.functions).toEqual([
      { name: 'scan', place: 'x.js:2', selfMs: 3 },
      { name: '(anonymous)', place: 'x.js:5', selfMs: 1 },
    ]);
  });

  it('counts the same function of two call paths once', () => {
    const twice = [node(1, 'scan'), { ...node(2, 'scan'), callFrame: node(1, 'scan').callFrame }];
    expect(summarise(profileOf(twice, [1, 2]), locate, everything).functions).toEqual([
      { name: 'scan', place: 'x.js:2', selfMs: 2 },
    ]);
  });

  it('covers only the interval', () => {
    const summary = summarise(profileOf(nodes, [1, 1, 4, 4, 1]), locate, { fromMs: 1003, toMs: 1004 });
    expect(summary.totalMs).toBe(2);
    expect(summary.functions.map(({ name }) => name)).toEqual(['(anonymous)']);
  });

  it('prints how busy the thread was, and the given number of functions', () => {
    const text = formatSummary('ring', summarise(profileOf(nodes, [1, 1, 1, 4, 2]), locate, everything), 1);
    expect(text.split('\n')).toEqual([
      'ring: busy 4 of 5 ms (80 %)',
      expect.stringMatching(/^ +75\.0 % +scan +x\.js:2$/),
    ]);
  });

  it('names the file when it is not a profile', () => {
    expect(() => parseCpuProfile('no', 'a.cpuprofile')).toThrow('a.cpuprofile is not JSON');
    expect(() => parseCpuProfile('{"nodes":[]}', 'a.cpuprofile')).toThrow(
      /a\.cpuprofile is not a CPU profile[\s\S]*samples/,
    );
  });
});

describe('clinic', () => {
  it('runs the heap profiler by its own name, without asking for permission, and opens nothing', () => {
    const command = clinicCommand('heap', '/out', ['node', 'daemon.js']);
    expect(command).toContain('heapprofiler');
    expect(command).toContain('NO_INSIGHT=1');
    expect(command).toContain('--open=false');
    expect(command.slice(-3)).toEqual(['--', 'node', 'daemon.js']);
  });

  it('is not the tool for worker threads', () => {
    expect(['flame', 'doctor', 'bubbleprof', 'heap', 'cpu', 'toString'].filter(isClinicTool)).toEqual([
      'flame',
      'doctor',
      'bubbleprof',
      'heap',
    ]);
  });

  it('fails when it wrote no page', async () => {
    await expect(clinicPage(import.meta.dirname)).rejects.toThrow(/clinic wrote no page/);
  });
});
