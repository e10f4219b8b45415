/**
 * Entry of a process that measures what the agents allocate, and what a ring of three sends. Everything runs in one thread and in virtual time,
 * so the figures depend on the code alone.
 */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { RingCounter } from '../../engine/host/ring-counters.ts';
import { Intake, LoneRingAgent, Output, SendingNetworkAgent } from '../micro/agents.ts';
import { frameBytes, makeFrames, makeRuns } from '../micro/frames.ts';
import { MemoryRing } from '../micro/memory-ring.ts';
import { EndlessSource } from '../micro/record-sources.ts';
import { allocatedBytes } from './allocation.ts';
import type { Figure } from './figures.ts';

const PAYLOAD_BYTES = 256;
const WARM_UP_BATCHES = 6000;
const BATCHES = 500;
/** Two batch sizes. Their difference gives the cost of a message, the rest is the cost of a batch. */
const SMALL = 16;
const LARGE = 64;
/** Below one byte per message, nothing grows with messages. */
const PER_MESSAGE_LIMIT = 0.5;

type BatchWork = (frames: Buffer, frameCount: number) => void;

/** Allocation per message and per batch. */
function perMessageAndBatch(id: string, title: string, work: BatchWork): Figure[] {
  const bytesOf = (frameCount: number): number => {
    const frames = makeFrames(frameCount, PAYLOAD_BYTES);
    const run = (): void => {
      for (let i = 0; i < BATCHES; i++) work(frames, frameCount);
    };
    for (let i = 0; i < WARM_UP_BATCHES / BATCHES; i++) run();
    return allocatedBytes(run) / BATCHES;
  };
  const small = bytesOf(SMALL);
  const large = bytesOf(LARGE);
  return [
    {
      id: `allocation/${id}/message`,
      title: `${title}: heap bytes per message`,
      unit: 'B',
      value: Math.max(0, (large - small) / (LARGE - SMALL)),
      tolerance: 0,
      slack: 0.1,
      limit: PER_MESSAGE_LIMIT,
    },
    {
      id: `allocation/${id}/batch`,
      title: `${title}: heap bytes per batch`,
      unit: 'B',
      value: Math.min(small, large),
      tolerance: 0.1,
      slack: 8,
    },
  ];
}

async function ringAgent(): Promise<Figure[]> {
  const ring = await LoneRingAgent.create();
  return perMessageAndBatch('ring-agent', 'ring agent', (frames, frameCount) => {
    ring.submit(frames, frameCount);
    ring.cycle();
    ring.takeDelivered();
  });
}

function intake(): Figure[] {
  const input = new Intake();
  const views = new Map<Buffer, DataView>();
  return perMessageAndBatch('delivery-intake', 'delivery agent, from client', (frames) => {
    let view = views.get(frames);
    if (view === undefined) {
      view = new DataView(frames.buffer, frames.byteOffset, frames.length);
      views.set(frames, view);
    }
    input.read(frames, view);
  });
}

function output(receivers: number): Figure[] {
  const out = new Output(receivers);
  return perMessageAndBatch(
    `delivery-output-${receivers}`,
    `delivery agent, to ${receivers === 1 ? 'a client' : `${receivers} clients`}`,
    (frames, frameCount) => out.deliver(frames, frameCount, 1),
  );
}

const ROTATIONS = 100;

interface Rotations {
  readonly messages: number;
  /** Counted once for each receiver. */
  readonly datagrams: number;
  readonly wireBytes: number;
  readonly tokenRounds: number;
  readonly allocated: number;
}

/** All runs have the same length, so that only the number of messages differs. */
const RUN_BYTES = 32 * frameBytes(PAYLOAD_BYTES);

function rotate(datagramBytes: number, payloadBytes: number): Rotations {
  const records = makeRuns(2, Math.round(RUN_BYTES / frameBytes(payloadBytes)), payloadBytes);
  const ring = new MemoryRing(
    Array.from({ length: 3 }, () => new EndlessSource(records)),
    datagramBytes,
  );
  ring.form();
  ring.rotate(ROTATIONS * 5);
  const [first] = ring.nodes;
  const { counters } = first.node;
  const before = [first.framesDelivered, ring.datagrams, ring.datagramBytes, counters[RingCounter.TokenRounds]];
  ring.rotate(ROTATIONS);
  const after = [first.framesDelivered, ring.datagrams, ring.datagramBytes, counters[RingCounter.TokenRounds]];
  const [messages, datagrams, wireBytes, tokenRounds] = after.map((value, i) => value - before[i]);
  return { messages, datagrams, wireBytes, tokenRounds, allocated: allocatedBytes(() => ring.rotate(ROTATIONS)) };
}

/** Two loads fill the same datagrams with few long or many short messages, which separates the cost of a message from that of a datagram. */
function ringOfThree(datagramBytes: number): Figure[] {
  const usual = rotate(datagramBytes, PAYLOAD_BYTES);
  const short = rotate(datagramBytes, 64);
  const determinant = usual.messages * short.datagrams - short.messages * usual.datagrams;
  const perMessage = (usual.allocated * short.datagrams - short.allocated * usual.datagrams) / determinant;
  const perDatagram = (usual.messages * short.allocated - short.messages * usual.allocated) / determinant;
  const figure = (id: string, title: string, unit: string, value: number): Figure => ({
    id: `ring-of-three/${datagramBytes}/${id}`,
    title: `ring of three, ${datagramBytes.toLocaleString('en')} B datagrams: ${title}`,
    unit,
    value: Math.max(0, value),
    tolerance: 0.02,
    slack: 0,
  });
  const { messages } = usual;
  return [
    figure('datagrams', 'datagrams per 1,000 messages', '', (usual.datagrams * 1000) / messages),
    figure('wire-bytes', 'wire bytes per message of 256 B and receiver', 'B', usual.wireBytes / messages / 2),
    figure('rotations', 'rotations per 1,000 messages', '', (usual.tokenRounds * 1000) / messages),
    {
      ...figure('message', 'heap bytes per message', 'B', perMessage),
      tolerance: 0,
      slack: 0.25,
      limit: PER_MESSAGE_LIMIT,
    },
    { ...figure('datagram', 'heap bytes per datagram', 'B', perDatagram), tolerance: 0.1, slack: 16 },
  ];
}

async function networkAgent(): Promise<Figure[]> {
  const sink = createSocket('udp4');
  sink.bind(0, '127.0.0.2');
  await once(sink, 'listening');
  const network = await SendingNetworkAgent.open(sink.address().port);
  const datagram = new Uint8Array(1400);
  const sends = 500;
  const run = (): void => {
    for (let i = 0; i < sends; i++) network.send(datagram, 4);
  };
  // Node's send path has many branches and is optimised late.
  for (let i = 0; i < 60; i++) run();
  const bytes = allocatedBytes(run);
  network.agent.close();
  sink.close();
  return [
    {
      id: 'allocation/network-agent/datagram',
      title: 'network agent: heap bytes per datagram sent',
      unit: 'B',
      value: bytes / (sends * 4),
      tolerance: 0.3,
      slack: 8,
    },
  ];
}

const figures = [
  ...(await ringAgent()),
  ...intake(),
  ...output(1),
  ...output(10),
  ...ringOfThree(1400),
  ...ringOfThree(65_000),
  ...(await networkAgent()),
];
process.stdout.write(JSON.stringify(figures));
