/**
 * The client library against the recorded traces: its calls send the recorded bytes, and recorded bytes give the expected events.
 */
import { afterEach, describe, expect, it } from 'vitest';
import { type ConnectOptions, connect, type ReceivedEvent, type Service, type Session } from '../../client/index.ts';
import {
  type ClientFrame,
  loadCapture,
  readClientFrames,
  type SplitCapture,
  sessionCaptureNames,
  splitCapture,
  withNotices,
} from '../unit/client-captures.ts';
import { FakeDaemon, until } from '../unit/client-fake-daemon.ts';
import { ReceiverBench } from '../unit/client-frames.ts';

/** Captures with bytes that this library never sends. */
const notOurs = /^(33|40|41|43|45|46|47|48)-/;
const replayable = sessionCaptureNames.filter((name) => !notOurs.test(name));

const SERVICES: Readonly<Record<number, Service>> = {
  1: 'unreliable',
  2: 'reliable',
  4: 'fifo',
  8: 'causal',
  16: 'agreed',
  32: 'safe',
};

const opened: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  for (const thing of opened.splice(0).reverse()) await thing.stop();
});

function optionsOf(capture: SplitCapture): ConnectOptions {
  const flags = capture.connect[3]!;
  return {
    name: capture.connect.subarray(5).toString(),
    membership: (flags & 1) === 1,
    priority: flags >> 4 === 1 ? 1 : 0,
  };
}

/** The call that should send this frame. */
function perform(session: Session, frame: ClientFrame): void {
  if (frame.bits === 0x10000) void session.join(frame.groups[0]!);
  else if (frame.bits === 0x20000) void session.leave(frame.groups[0]!);
  else if (frame.bits === 0x40000) void session.close();
  else {
    const service = SERVICES[frame.bits & 0x3f];
    expect(service).toBeDefined();
    const selfDiscard = (frame.bits & 0x40) !== 0;
    session.multicast(frame.groups, frame.data, { service: service!, type: frame.messageType, selfDiscard });
  }
}

describe('what the client sends', () => {
  it.each(replayable)('is byte for byte what capture %s holds', async (name) => {
    const capture = splitCapture(loadCapture(name));
    const frames = readClientFrames(capture.clientFrames);
    const expected = Buffer.concat(frames.map((frame) => frame.canonical));
    let frameBytes: Buffer = Buffer.alloc(0);
    const daemon = await FakeDaemon.start(async (peer) => {
      expect(await peer.read(capture.connect.length)).toEqual(withNotices(capture.connect));
      peer.write(capture.authList);
      expect(await peer.read(90)).toEqual(capture.authChoice);
      peer.write(capture.accept);
      frameBytes = await peer.read(expected.length);
      peer.socket.end();
    });
    opened.push(daemon);
    const session = await Promise.race([connect({ address: daemon.address, ...optionsOf(capture) }), daemon.failure]);
    for (const frame of frames) perform(session, frame);
    await Promise.race([until(() => frameBytes.length === expected.length), daemon.failure]);
    expect(frameBytes.toString('hex')).toBe(expected.toString('hex'));
    await session.close();
  });

  it('reads whole frames in every capture it claims to repeat', () => {
    for (const name of replayable) {
      const { clientFrames } = splitCapture(loadCapture(name));
      const total = readClientFrames(clientFrames).reduce((sum, frame) => sum + frame.canonical.length, 0);
      expect(total).toBe(clientFrames.length);
    }
  });
});

function eventsOf(name: string): readonly ReceivedEvent[] {
  const capture = splitCapture(loadCapture(name));
  const bench = new ReceiverBench(capture.accept.subarray(5).toString());
  bench.feed(capture.daemonFrames);
  expect(bench.failure).toBeUndefined();
  expect(bench.input.start).toBe(bench.input.end);
  return bench.events;
}

function summary(event: ReceivedEvent): string {
  switch (event.kind) {
    case 'message':
      return `${event.service} ${event.type} ${event.sender} -> ${event.groups.join()}: ${event.data.toString().trim()}`;
    case 'membership': {
      const sets = event.vsSets.map((set) => set.join()).join(' | ');
      const who = event.changed ?? sets;
      return `${event.cause} ${event.group} ${event.viewId.index} [${event.members.join()}] own ${event.ownIndex}: ${who}`;
    }
    case 'transition':
      return `transition ${event.group} ${event.viewId.index}`;
    default:
      return event.kind;
  }
}

describe('the events of', () => {
  it.each<[string, string[]]>([
    [
      '05-join-leave-disconnect.alice',
      [
        'join room 1 [#alice#localhost] own 0: #alice#localhost',
        'join room 2 [#alice#localhost,#bob#localhost] own 0: #bob#localhost',
        'leave room 3 [#alice#localhost] own 0: #bob#localhost',
        'join room 4 [#alice#localhost,#bob#localhost] own 0: #bob#localhost',
        'disconnect room 5 [#alice#localhost] own 0: #bob#localhost',
        'selfLeave',
      ],
    ],
    [
      '07-services.receiver',
      [
        'join room 1 [#bob#localhost] own 0: #bob#localhost',
        'unreliable 258 #alice#localhost -> room: unrel',
        'reliable 258 #alice#localhost -> room: rel',
        'fifo 258 #alice#localhost -> room: fifo',
        'causal 258 #alice#localhost -> room: causal',
        'agreed 258 #alice#localhost -> room: agreed',
        'safe 258 #alice#localhost -> room: safe',
      ],
    ],
    ['10-private-send.alice', ['safe 1 #bob#localhost -> #alice#localhost,#nobody#localhost: hi alice']],
    [
      '16-network.d2-bob',
      [
        'join room 2 [#bob#d2,#carol#d3] own 0: #bob#d2',
        'join room 3 [#alice#d1,#bob#d2,#carol#d3] own 1: #alice#d1',
        'join room 4 [#alice#d1,#zed#d1,#bob#d2,#carol#d3] own 2: #zed#d1',
        'safe 1 #alice#d1 -> room: safe1',
        'transition room 4',
        'network room 1 [#alice#d1,#zed#d1,#bob#d2] own 2: #alice#d1,#zed#d1,#bob#d2',
        'agreed 2 #alice#d1 -> room: after',
        'disconnect room 2 [#zed#d1,#bob#d2] own 1: #alice#d1',
      ],
    ],
    ['46-probe-drop-recv-bit', ['agreed 0 #n6#localhost -> #n6#localhost: x']],
    ['47-probe-forged-memb-bits', ['agreed 0 #n7#localhost -> #n7#localhost: x']],
  ])('%s', (name, expected) => {
    expect(eventsOf(name).map(summary)).toEqual(expected);
  });

  it('08-self-discard keeps the mark for other receivers', () => {
    const messages = eventsOf('08-self-discard.bob').filter((event) => event.kind === 'message');
    expect(messages.map((event) => event.selfDiscard)).toEqual([false, true]);
  });

  it('14-large is the whole message', () => {
    const messages = eventsOf('14-large.alice').filter((event) => event.kind === 'message');
    expect(messages.map((event) => event.data.length)).toEqual([3000]);
  });
});
