/** The cost of signalling work to another thread, awake or asleep. */
import { MessageChannel } from 'node:worker_threads';
import { createDoorbell, DoorbellRinger } from '../../../engine/buffers/doorbell.ts';
import { Command, createThreadControl, ThreadController } from '../../../workers/agent-thread.ts';
import { monotonicMs } from '../../load/clock.ts';
import type { LoopRow, MicroFamily, SampleRow } from '../micro-row.ts';
import { GO, Partner } from '../partner.ts';

const RINGS = 1024;
/** After this time an idle thread is asleep. */
const PAUSE_MS = 0.3;

function ringAwake(): LoopRow {
  const ringer = new DoorbellRinger(createDoorbell(), () => {
    throw new Error('nobody sleeps');
  });
  return {
    kind: 'loop',
    title: 'ring a thread that is awake',
    operations: RINGS,
    bytesPerOperation: null,
    run() {
      for (let i = 0; i < RINGS; i++) ringer.ring();
    },
  };
}

async function wakeUp(title: string, blocking: boolean): Promise<SampleRow & { close(): Promise<void> }> {
  const doorbell = createDoorbell();
  const control = createThreadControl();
  const times = new Float64Array(new SharedArrayBuffer(8));
  const { port1, port2 } = new MessageChannel();
  port1.unref();
  const partner = await Partner.start({
    role: 'sleeper',
    times,
    doorbell,
    control,
    wakePort: blocking ? null : port2,
  });
  const ringer = new DoorbellRinger(doorbell, blocking ? null : () => port1.postMessage(0));
  const pause = new Int32Array(new SharedArrayBuffer(4));
  return {
    kind: 'sample',
    title,
    bytesPerOperation: null,
    async sample() {
      Atomics.wait(pause, 0, 0, PAUSE_MS);
      const round = monotonicMs();
      partner.begin(1);
      ringer.ring();
      partner.awaitDone();
      return times[0] - round;
    },
    async close() {
      new ThreadController(control).command(Command.Close);
      Atomics.store(partner.words, GO, 0);
      ringer.ring();
      port1.close();
      await partner.stop();
    },
  };
}

export const doorbellFamily: MicroFamily = {
  id: 'doorbell',
  title: 'doorbell, from ring to the first line of the duty cycle',
  async prepare() {
    const sleepers = [
      await wakeUp('wake a thread blocked on its doorbell', true),
      await wakeUp('wake a thread in its event loop (MessagePort)', false),
    ];
    return {
      rows: [ringAwake(), ...sleepers],
      close: async () => {
        for (const row of sleepers) await row.close();
      },
    };
  },
};
