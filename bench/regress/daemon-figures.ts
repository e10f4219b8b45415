/** What a whole daemon does and allocates for a lockstep load. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { onExit } from '../clean-up.ts';
import { ALLOCATION_NODE_OPTIONS } from './allocation.ts';
import type { ProbeMessage, ProbeReading, ProbeRequest } from './daemon-probe.ts';
import type { Figure } from './figures.ts';
import { Lockstep, type LockstepShape } from './lockstep.ts';
import { countCalls, straceUnavailable } from './strace.ts';

export const SHAPES: readonly LockstepShape[] = [
  { id: 'single', title: '1 to 1, 64 B, one by one', batch: 1, payloadBytes: 64, receivers: 1, groups: 1 },
  { id: 'batch', title: '1 to 1, 64 B, batches of 32', batch: 32, payloadBytes: 64, receivers: 1, groups: 1 },
  { id: 'fan-out', title: '1 to 10, 256 B, batches of 32', batch: 32, payloadBytes: 256, receivers: 10, groups: 1 },
  {
    id: 'scattered',
    title: '1 to 1, two groups in turn, batches of 32',
    batch: 32,
    payloadBytes: 256,
    receivers: 1,
    groups: 2,
  },
];

const WARM_UP_BATCHES = 3000;
const BATCHES = 500;
const TRACED_BATCHES = 300;

class Probe {
  readonly pid: number;
  readonly port: number;
  readonly #process: ChildProcess;

  private constructor(process: ChildProcess, port: number) {
    this.#process = process;
    this.pid = process.pid ?? -1;
    this.port = port;
  }

  static async start(): Promise<Probe> {
    const child = fork(fileURLToPath(new URL('./regress-daemon.js', import.meta.url)), {
      execArgv: ALLOCATION_NODE_OPTIONS,
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    child.on(
      'exit',
      onExit(() => child.kill('SIGKILL')),
    );
    const early = once(child, 'exit').then(([code]) => {
      throw new Error(`the daemon ended with code ${code}: is dist/ built (npm run build)?`);
    });
    const [message] = (await Promise.race([once(child, 'message'), early])) as [ProbeMessage];
    early.catch(() => {});
    if (message.kind !== 'ready') throw new Error('the daemon answered before it was ready');
    return new Probe(child, message.port);
  }

  async read(request: Exclude<ProbeRequest, 'stop'>): Promise<ProbeReading> {
    const answer = once(this.#process, 'message');
    this.#process.send(request);
    const [message] = (await answer) as [ProbeMessage];
    if (message.kind !== 'reading') throw new Error('the daemon started twice');
    return message.reading;
  }

  async stop(): Promise<void> {
    const ended = once(this.#process, 'exit');
    this.#process.send('stop' satisfies ProbeRequest);
    await ended;
  }
}

function difference(before: ProbeReading, after: ProbeReading): ProbeReading {
  const keys = Object.keys(before) as (keyof ProbeReading)[];
  return Object.fromEntries(keys.map((key) => [key, after[key] - before[key]])) as unknown as ProbeReading;
}

function figuresOf(shape: LockstepShape, done: ProbeReading): Figure[] {
  const messages = done.framesReceived;
  const figure = (
    id: string,
    title: string,
    unit: string,
    value: number,
    tolerance: number,
    slack: number,
  ): Figure => ({
    id: `daemon/${shape.id}/${id}`,
    title: `${shape.title}: ${title}`,
    unit,
    value,
    tolerance,
    slack,
  });
  const perThousand = (count: number, of: number): number => (count * 1000) / of;
  return [
    figure('allocation', 'heap bytes per million messages', 'B', (done.heapBytes * 1e6) / messages, 0.25, 1e6),
    figure('duty-cycles', 'duty cycles per 1,000 messages', '', perThousand(done.dutyCycles, messages), 0.1, 5),
    figure('sleeps', 'sleeps per 1,000 messages', '', perThousand(done.sleeps, messages), 0.1, 5),
    figure(
      'writes',
      'socket writes per 1,000 deliveries',
      '',
      perThousand(done.socketWrites, done.framesDelivered),
      0.02,
      1,
    ),
    figure(
      'spilled',
      'bytes copied out of the log per 1,000 deliveries',
      'B',
      perThousand(done.bytesSpilled, done.framesDelivered),
      0.02,
      1,
    ),
  ];
}

async function callsOf(shape: LockstepShape, probe: Probe, load: Lockstep, directory: string): Promise<Figure> {
  const base = {
    id: `daemon/${shape.id}/system-calls`,
    title: `${shape.title}: system calls per 1,000 messages`,
    tolerance: 0.1,
    slack: 10,
  };
  try {
    const why = await straceUnavailable();
    if (why !== null) return { ...base, unit: '', value: null, why };
    const calls = await countCalls(probe.pid, directory, () => load.run(TRACED_BATCHES));
    const messages = TRACED_BATCHES * shape.batch;
    const sum = [...calls.values()].reduce((total, count) => total + count, 0);
    const most = [...calls].sort((a, b) => b[1] - a[1]).slice(0, 4);
    const detail = most.map(([name, count]) => `${name} ${((count * 1000) / messages).toFixed(0)}`).join(', ');
    return { ...base, unit: '', value: (sum * 1000) / messages, why: detail };
  } catch (error) {
    return { ...base, unit: '', value: null, why: error instanceof Error ? error.message : String(error) };
  }
}

export async function daemonFigures(shape: LockstepShape, directory: string): Promise<Figure[]> {
  const probe = await Probe.start();
  const load = await Lockstep.open(probe.port, shape);
  try {
    await load.hurry(WARM_UP_BATCHES);
    // The cost of reading is the same in both intervals.
    const idleFrom = await probe.read('collect-and-read');
    const idleTo = await probe.read('read');
    const from = await probe.read('collect-and-read');
    await load.run(BATCHES);
    const to = await probe.read('read');
    const reading = difference(idleFrom, idleTo).heapBytes;
    const done = difference(from, to);
    const figures = figuresOf(shape, { ...done, heapBytes: Math.max(0, done.heapBytes - reading) });
    return [...figures, await callsOf(shape, probe, load, directory)];
  } finally {
    load.close();
    await probe.stop();
  }
}
