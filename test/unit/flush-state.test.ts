/** How a member leaves a group, and the flush layer against a capture of Spread's. */
import { describe, expect, it } from 'vitest';
import { loadCapture, readClientFrames, splitCapture } from './client-captures.ts';
import { ReceiverBench } from './client-frames.ts';
import { asBytes, codeOf, FlushBench, states, steady } from './flush-bench.ts';

describe('leaving', () => {
  it('ends with the self-leave, after which the group is unknown', () => {
    const bench = steady('alice', 'bob');
    bench.state.beginLeave('g');
    expect(states(bench)).toEqual(['leaving', 'steady']);
    expect(codeOf(() => bench.state.multicast('g', ['x'], {}))).toBe('ILLEGAL_GROUP');
    expect(codeOf(() => bench.state.beginLeave('g'))).toBe('ILLEGAL_GROUP');
    expect(codeOf(() => bench.state.beginJoin('g'))).toBe('ILLEGAL_GROUP');
    bench.view(2, ['alice', 'bob', 'carl'], 'join', 'carl');
    expect(codeOf(() => bench.state.flush('g'))).toBe('ILLEGAL_STATE');
    bench.state.onSpread({ kind: 'selfLeave', group: 'g' });
    expect(bench.take()).toEqual(['left']);
    expect(states(bench)).toEqual([]);
    bench.state.beginJoin('g');
  });

  it('does not stop a change that was permitted before', () => {
    const bench = steady('alice', 'bob');
    bench.view(2, ['alice', 'bob', 'carl'], 'join', 'carl');
    bench.state.flush('g');
    bench.state.beginLeave('g');
    bench.ok(2, 'alice', 'bob', 'carl');
    expect(bench.take()).toEqual(['request', '> ok 2', 'view 2 join alice,bob,carl vs carl', '> recv 2']);
  });

  it('is refused to non-members', () => {
    const bench = new FlushBench('alice');
    expect(codeOf(() => bench.state.beginLeave('g'))).toBe('ILLEGAL_GROUP');
    bench.state.beginJoin('g');
    expect(codeOf(() => bench.state.beginLeave('g'))).toBe('ILLEGAL_GROUP');
    expect(codeOf(() => bench.state.beginJoin('g'))).toBe('ILLEGAL_GROUP');
    bench.state.cancelJoin('g');
    bench.state.beginJoin('g');
    bench.state.onSpread({
      kind: 'reject',
      request: 'join',
      service: undefined,
      type: 0,
      groups: ['g'],
      data: Buffer.alloc(0),
      serviceBits: 0x0040_0100,
    });
    expect(states(bench)).toEqual([]);
  });
});

describe('capture 20', () => {
  it.each([
    ['alice', ['view 1', 'flushRequest', 'view 2', 'message']],
    ['bob', ['view 2', 'message', 'flushRequest', 'transition']],
  ])('makes %s send what it sent and deliver what its user saw', (name, deliveries) => {
    const capture = splitCapture(loadCapture(`20-flush.${name}`));
    const self = `#${name}#localhost`;
    const { state, sent, delivered } = new FlushBench(self);
    const receiver = new ReceiverBench(self);
    receiver.feed(capture.daemonFrames);
    state.beginJoin('vs');
    for (const event of receiver.events) {
      state.onSpread(event);
      // The recorded user answered the request for bob's join, and quit at the one for alice's disconnect.
      if (name === 'alice' && delivered.at(-1)?.kind === 'flushRequest' && sent.length === 2) state.flush('vs');
    }
    if (name === 'alice') state.multicast('vs', ['hello\n'], { service: 'safe', type: 1 });
    const frames = readClientFrames(capture.clientFrames).filter((frame) => (frame.bits & 0x70000) === 0);
    expect(sent.map((send) => [send.type, send.groups, asBytes(send).toString('hex')])).toEqual(
      frames.map((frame) => [frame.messageType, frame.groups, frame.data.toString('hex')]),
    );
    const seen = delivered.map((event) => (event.kind === 'view' ? `view ${event.viewId.index}` : event.kind));
    expect(seen).toEqual(deliveries);
  });
});
