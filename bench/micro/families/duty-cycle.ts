/** One duty cycle of each agent: idle, which is the minimum cost of a wake-up, and with a batch. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { parseAccessFile } from '../../../engine/access/access-file.ts';
import { Intake, idleDeliveryAgent, LoneRingAgent, Output, SendingNetworkAgent } from '../agents.ts';
import { frameBytes, makeFrames } from '../frames.ts';
import type { LoopRow, MicroFamily } from '../micro-row.ts';

const CYCLES = 256;
const BATCH = 32;
const PAYLOAD_BYTES = 256;
/** Several patterns that do not match, then one that does. */
const ACCESS_FILE = 'anyone send a.* b.* c.* *.d\nunix join * send * private\n';

const idle = (title: string, cycle: () => number): LoopRow => ({
  kind: 'loop',
  title: `${title}, idle cycle`,
  operations: CYCLES,
  bytesPerOperation: null,
  run() {
    for (let i = 0; i < CYCLES; i++) cycle();
  },
});

function ringBatch(ring: LoneRingAgent): LoopRow {
  const frames = makeFrames(BATCH, PAYLOAD_BYTES);
  return {
    kind: 'loop',
    title: `ring, a run of ${BATCH} messages of 256 B: per message`,
    operations: BATCH,
    bytesPerOperation: frameBytes(PAYLOAD_BYTES),
    run() {
      ring.submit(frames, BATCH);
      ring.cycle();
      if (ring.takeDelivered() !== 1) throw new Error('the run was not delivered');
    },
  };
}

function intakeBatch(withRights: boolean): LoopRow {
  const intake = new Intake(withRights ? parseAccessFile(ACCESS_FILE, 'bench').rules : null);
  const frames = makeFrames(BATCH, PAYLOAD_BYTES);
  const view = new DataView(frames.buffer);
  return {
    kind: 'loop',
    title: `delivery, ${BATCH} messages of 256 B from a client to the submit queue${withRights ? ', with AccessFile' : ''}: per message`,
    operations: BATCH,
    bytesPerOperation: frameBytes(PAYLOAD_BYTES),
    run: () => intake.read(frames, view),
  };
}

function outputBatch(receivers: number): LoopRow {
  const output = new Output(receivers);
  const frames = makeFrames(BATCH, PAYLOAD_BYTES);
  return {
    kind: 'loop',
    title: `delivery, a run of ${BATCH} messages to ${receivers} receivers, without sockets: per delivery`,
    operations: BATCH * receivers,
    bytesPerOperation: frameBytes(PAYLOAD_BYTES),
    run() {
      if (output.deliver(frames, BATCH, 1) !== receivers) throw new Error('not one write per receiver');
    },
  };
}

function networkBatch(network: SendingNetworkAgent): LoopRow {
  const datagram = new Uint8Array(1400);
  return {
    kind: 'loop',
    title: 'network, send a datagram of 1,400 B (its system call included)',
    operations: 16,
    bytesPerOperation: datagram.length,
    run: () => network.send(datagram, 16),
  };
}

export const dutyCycleFamily: MicroFamily = {
  id: 'duty-cycle',
  title: 'duty cycle, per agent',
  async prepare() {
    const ring = await LoneRingAgent.create();
    const delivery = await idleDeliveryAgent();
    // Nobody reads it. When its buffer is full the kernel drops datagrams, which costs the sender the same.
    const sink = createSocket('udp4');
    sink.bind(0, '127.0.0.2');
    await once(sink, 'listening');
    const network = await SendingNetworkAgent.open(sink.address().port);
    return {
      rows: [
        idle('ring', () => ring.cycle(0)),
        ringBatch(ring),
        idle('delivery', () => delivery.doWork(0)),
        intakeBatch(false),
        intakeBatch(true),
        outputBatch(1),
        outputBatch(10),
        idle('network', () => network.agent.doWork(0)),
        networkBatch(network),
      ],
      async close() {
        network.agent.close();
        sink.close();
      },
    };
  },
};
