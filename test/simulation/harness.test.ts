/** The simulator's own parts: runs repeat exactly, time is ordered, and failing schedules shrink. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { PacketType } from '../../engine/wire/ring-header.ts';
import { Token, TokenPhase, writeToken } from '../../engine/wire/ring-token.ts';
import { check } from './checker/check.ts';
import { EventQueue } from './core/event-queue.ts';
import { Random, randomFor } from './core/random.ts';
import { referenceSimulation, ringEngine } from './engines.ts';
import { ENGINE_MUTANTS } from './mutants/engine-mutants.ts';
import { mutate } from './mutants/mutant.ts';
import { VirtualNetwork } from './network/virtual-network.ts';
import { describePacket, matchesType, packetType } from './network/wire-view.ts';
import { LAN } from './scenario/profile.ts';
import { reduce, shrink, wholeOf } from './scenario/reduction.ts';
import { swarmScenario } from './scenario/swarm.ts';
import { Simulation } from './simulation.ts';
import { renderTimeline } from './trace/timeline.ts';

describe('a run', () => {
  it.each([1, 7, 23])('of seed %i repeats itself exactly', (seed) => {
    const scenario = swarmScenario(seed, { minNodes: 2, maxNodes: 6 });
    const first = new Simulation(scenario, ringEngine).run();
    const second = new Simulation(scenario, ringEngine).run();
    expect(second.trace).toEqual(first.trace);
    expect(second.eventsHandled).toBe(first.eventsHandled);
  });

  it('is the same with and without a timeline', () => {
    const scenario = swarmScenario(5, { minNodes: 3, maxNodes: 3 });
    const plain = new Simulation(scenario, ringEngine).run();
    const watched = new Simulation(scenario, ringEngine, true).run();
    expect(watched.trace).toEqual(plain.trace);
    const lines = renderTimeline(watched.trace, watched.timeline, 'packets');
    expect(lines.length).toBeGreaterThan(100);
    const times = lines.map((line) => Number.parseFloat(line));
    expect(times).toEqual([...times].sort((a, b) => a - b));
  });

  it.each([1, 2, 3, 4, 5, 6, 7, 8])('of the reference model on seed %i keeps every property', (seed) => {
    expect(check(referenceSimulation(swarmScenario(seed, { minNodes: 2, maxNodes: 5 })).run().trace)).toEqual([]);
  });
});

describe('the delivery path', () => {
  it('reaches every situation in the swarm', () => {
    const most = { logFull: 0, termBuffers: 0, waited: 0, spilledBytes: 0, slowEnded: 0, refused: 0, rounds: 0 };
    for (let seed = 1; seed <= 40; seed++) {
      const scenario = swarmScenario(seed, { minNodes: 2, maxNodes: 4 });
      const { delivery } = new Simulation(scenario, ringEngine).run();
      for (const figures of delivery) {
        for (const key of ['logFull', 'termBuffers', 'waited', 'spilledBytes', 'slowEnded', 'refused'] as const)
          most[key] = Math.max(most[key], figures[key]);
        most.rounds = Math.max(most.rounds, figures.entries / scenario.delivery!.log.indexEntries);
      }
    }
    expect(most.logFull).toBeGreaterThan(2);
    expect(most.termBuffers).toBeGreaterThan(4);
    expect(most.waited).toBeGreaterThan(0);
    expect(most.spilledBytes).toBeGreaterThan(10_000);
    expect(most.slowEnded).toBeGreaterThan(0);
    expect(most.refused).toBeGreaterThan(10);
    expect(most.rounds).toBeGreaterThan(1);
  });
});

describe('random numbers', () => {
  it('depend on the seed and on the name of the stream', () => {
    const draw = (random: Random): number[] => Array.from({ length: 4 }, () => random.word());
    expect(draw(randomFor(1, 'a'))).toEqual(draw(randomFor(1, 'a')));
    expect(draw(randomFor(1, 'a'))).not.toEqual(draw(randomFor(2, 'a')));
    expect(draw(randomFor(1, 'a'))).not.toEqual(draw(randomFor(1, 'b')));
    expect(draw(randomFor(1 + 2 ** 40, 'a'))).not.toEqual(draw(randomFor(1, 'a')));
  });

  it('stay in their range', () => {
    const random = new Random(3);
    for (let i = 0; i < 1000; i++) {
      expect([2, 3, 4]).toContain(random.integer(2, 4));
      const value = random.logarithmic(0.1, 10);
      expect(value >= 0.1 && value < 10).toBe(true);
    }
    expect(new Set(random.sample([1, 2, 3], 3))).toEqual(new Set([1, 2, 3]));
  });
});

describe('virtual time', () => {
  it('runs due actions in order of time, then of scheduling', () => {
    const queue = new EventQueue();
    const ran: string[] = [];
    queue.at(5, () => ran.push('c'));
    queue.at(2, () => {
      ran.push('a');
      queue.after(0, () => ran.push('b'));
      queue.at(1, () => ran.push('late'));
    });
    queue.at(9, () => ran.push('never'));
    queue.runUntil(6);
    expect(ran).toEqual(['a', 'b', 'late', 'c']);
    expect(queue.nowMs).toBe(6);
  });

  it('keeps ten thousand random times in order', () => {
    const queue = new EventQueue();
    const random = new Random(1);
    const times: number[] = [];
    for (let i = 0; i < 10_000; i++) queue.at(random.real(0, 100), () => times.push(queue.nowMs));
    queue.runUntil(100);
    expect(times).toHaveLength(10_000);
    expect(times).toEqual([...times].sort((a, b) => a - b));
  });
});

describe('the virtual network', () => {
  const arrivals = (prepare: (network: VirtualNetwork) => void, count = 200): number[] => {
    const events = new EventQueue();
    const got: number[] = [];
    const network = new VirtualNetwork(2, [0, 0], LAN, 1, events, (_, bytes) => got.push(bytes[0]! + 256 * bytes[1]!));
    prepare(network);
    for (let i = 0; i < count; i++) network.send(0, 1, Uint8Array.of(i & 255, i >> 8));
    events.runUntil(10_000);
    return got;
  };
  const inOrder = Array.from({ length: 200 }, (_, i) => i);
  const trouble = {
    from: null,
    to: null,
    only: null,
    loss: 0,
    duplicate: 0,
    duplicateLateMs: 0,
    reorder: 0,
    reorderMs: 0,
    extraDelayMs: 0,
  };

  it('keeps order and loses nothing without a fault', () => {
    expect(arrivals(() => {})).toEqual(inOrder);
  });

  it('loses, duplicates and reorders on request', () => {
    const lossy = arrivals((network) => network.impair({ ...trouble, loss: 0.5 }));
    expect(lossy.length).toBeGreaterThan(50);
    expect(lossy.length).toBeLessThan(150);
    expect(arrivals((network) => network.impair({ ...trouble, duplicate: 1, duplicateLateMs: 50 }))).toHaveLength(400);
    const mixed = arrivals((network) => network.impair({ ...trouble, reorder: 0.5, reorderMs: 20 }));
    expect([...mixed].sort((a, b) => a - b)).toEqual(inOrder);
    expect(mixed).not.toEqual(inOrder);
  });

  it('carries nothing over a cut link, as long as one fault cuts it', () => {
    const twice = (network: VirtualNetwork): void => {
      network.cut(0, 1, 1);
      network.cut(0, 1, 1);
      network.cut(0, 1, -1);
    };
    expect(arrivals(twice)).toEqual([]);
    expect(
      arrivals((network) => {
        twice(network);
        network.cut(0, 1, -1);
      }),
    ).toEqual(inOrder);
  });
});

describe('the view of the wire', () => {
  it.each([
    [TokenPhase.Operational, 'token'],
    [TokenPhase.Recover, 'token-recover'],
    [TokenPhase.Install, 'token-install'],
  ] as const)('tells tokens of phase %i apart', (phase, type) => {
    const token = new Token(3);
    token.phase = phase;
    token.seq = 77;
    const bytes = new Uint8Array(600);
    bytes[5] = PacketType.Token;
    writeToken(bytes, 0, token);
    expect(packetType(bytes)).toBe(type);
    expect(describePacket(bytes)).toContain('seq 77');
    expect(matchesType('token', packetType(bytes))).toBe(true);
    expect(matchesType('data', packetType(bytes))).toBe(false);
  });
});

describe('shrinking', () => {
  it('keeps only what the failure needs', () => {
    const scenario = swarmScenario(11, { minNodes: 5, maxNodes: 6 });
    const needed = scenario.faults[scenario.faults.length - 1]!;
    const left = shrink(
      scenario,
      (candidate) => candidate.faults.includes(needed) && candidate.clients.some((client) => client.node === 1),
    );
    const small = reduce(scenario, left);
    expect(small.faults).toEqual([needed]);
    expect(small.clients).toHaveLength(1);
    expect(small.nodeCount).toBeLessThanOrEqual(scenario.nodeCount);
  });

  it('leaves a scenario alone that needs everything', () => {
    const scenario = swarmScenario(12, { minNodes: 4, maxNodes: 4 });
    expect(shrink(scenario, () => false)).toEqual(wholeOf(scenario));
  });
});

describe('mutants', () => {
  const root = fileURLToPath(new URL('../..', import.meta.url));

  it.each(ENGINE_MUTANTS)('$name fits the source', (mutant) => {
    for (const change of mutant.changes) {
      const source = readFileSync(`${root}/${change.file}`, 'utf8');
      expect(mutate(source, mutant.name, change)).not.toBe(source);
    }
  });

  it('that no longer fit give an error', () => {
    expect(() => mutate('let a = 1;', 'x', { file: 'f.ts', from: 'let b', to: '' })).toThrow('mutant x is stale');
    expect(() => mutate('a a', 'x', { file: 'f.ts', from: 'a', to: '' })).toThrow('more than once');
  });
});
