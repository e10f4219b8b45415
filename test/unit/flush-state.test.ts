import { describe, expect, it } from 'vitest';
import { SkeinError } from '../../client/index.ts';
import { loadCapture, readClientFrames, splitCapture } from './client-captures.ts';
import { ReceiverBench } from './client-frames.ts';
import { asBytes, FlushBench, idOf, member } from './flush-bench.ts';

function codeOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof SkeinError) return error.code;
    throw error;
  }
  return 'nothing thrown';
}

const states = (bench: FlushBench): string[] => {
  const group = bench.state.group('g');
  return group === undefined ? [] : [group.memberState, group.viewState];
};

/** Alice in a steady view with these others. */
function steady(...names: string[]): FlushBench {
  const bench = new FlushBench('alice');
  bench.joined(names);
  expect(states(bench)).toEqual(['joined', 'steady']);
  return bench;
}

describe('a joiner', () => {
  it('permits its first views without being asked and becomes a member with the first that all agree to', () => {
    const bench = new FlushBench('bob');
    bench.state.beginJoin('g');
    expect(states(bench)).toEqual(['joining', 'agree']);
    bench.view(2, ['alice', 'bob'], 'join', 'bob');
    expect(bench.take()).toEqual(['> ok 2']);
    bench.ok(2, 'bob');
    expect(states(bench)).toEqual(['joining', 'agree']);
    bench.ok(2, 'alice');
    expect(bench.take()).toEqual(['view 2 join alice,bob vs bob', '> recv 2']);
    expect(states(bench)).toEqual(['joined', 'verify']);
    bench.recv(2, 'alice');
    expect(states(bench)).toEqual(['joined', 'verify']);
    bench.recv(2, 'bob');
    expect(states(bench)).toEqual(['joined', 'steady']);
  });

  it('gets no transitional signal and no message before its first view', () => {
    const bench = new FlushBench('bob');
    bench.state.beginJoin('g');
    bench.view(2, ['alice', 'bob', 'carl'], 'join', 'bob');
    bench.state.onSpread({ kind: 'transition', group: 'g', viewId: idOf(new Uint8Array(12)) });
    bench.text('alice', 'of the old view');
    bench.view(3, ['alice', 'bob'], 'leave', 'carl');
    expect(bench.take()).toEqual(['> ok 2', '> ok 3']);
  });

  it('is created by the first membership message even when unannounced', () => {
    const bench = new FlushBench('bob');
    bench.view(1, ['bob'], 'join', 'bob');
    expect(states(bench)).toEqual(['joining', 'agree']);
  });
});

describe('a change of view', () => {
  it('asks, waits for the answer, collects agreement, and is verified', () => {
    const bench = steady('alice', 'bob');
    bench.view(2, ['alice', 'bob', 'carl'], 'join', 'carl');
    expect(bench.take()).toEqual(['request']);
    expect(states(bench)).toEqual(['joined', 'authorize']);
    bench.ok(2, 'bob', 'carl');
    expect(bench.take()).toEqual([]);
    bench.state.flush('g');
    expect(bench.take()).toEqual(['> ok 2']);
    expect(states(bench)).toEqual(['joined', 'agree']);
    bench.ok(2, 'alice');
    expect(bench.take()).toEqual(['view 2 join alice,bob,carl vs carl', '> recv 2']);
    bench.recv(2, 'bob', 'carl', 'alice');
    expect(states(bench)).toEqual(['joined', 'steady']);
  });

  it('counts FLUSH_RECVs of members that were faster, and of nobody else', () => {
    const bench = steady('alice', 'bob');
    bench.view(2, ['alice', 'bob', 'carl'], 'join', 'carl');
    bench.state.flush('g');
    bench.ok(2, 'bob', 'carl');
    bench.recv(2, 'bob', 'stranger');
    bench.recv(9, 'carl');
    bench.ok(2, 'alice');
    bench.recv(2, 'alice');
    expect(states(bench)).toEqual(['joined', 'verify']);
    bench.recv(2, 'carl');
    expect(states(bench)).toEqual(['joined', 'steady']);
  });

  it('takes early FLUSH_OKs, before its membership message', () => {
    const bench = steady('alice', 'bob');
    bench.ok(2, 'carl', 'bob');
    bench.view(2, ['alice', 'bob', 'carl'], 'join', 'carl');
    bench.state.flush('g');
    bench.take();
    bench.ok(2, 'alice');
    expect(bench.take()[0]).toBe('view 2 join alice,bob,carl vs carl');
  });

  it('that comes while another is agreed on waits its turn, and asks anew', () => {
    const bench = steady('alice', 'bob');
    bench.view(2, ['alice', 'bob', 'carl'], 'join', 'carl');
    bench.state.flush('g');
    bench.take();
    bench.view(3, ['alice', 'bob', 'carl', 'dora'], 'join', 'dora');
    expect(bench.take()).toEqual([]);
    bench.ok(2, 'alice', 'bob', 'carl');
    expect(bench.take()).toEqual(['view 2 join alice,bob,carl vs carl', 'request']);
    expect(states(bench)).toEqual(['joined', 'authorize']);
    bench.state.flush('g');
    bench.ok(3, 'alice', 'bob', 'carl', 'dora');
    expect(bench.take()).toEqual(['> ok 3', 'view 3 join alice,bob,carl,dora vs dora', '> recv 3']);
  });

  it('can come right behind the one just installed', () => {
    const bench = steady('alice', 'bob');
    bench.view(2, ['alice', 'bob', 'carl'], 'join', 'carl');
    bench.state.flush('g');
    bench.ok(2, 'alice', 'bob', 'carl');
    expect(states(bench)).toEqual(['joined', 'verify']);
    bench.take();
    bench.view(3, ['alice', 'bob'], 'leave', 'carl');
    expect(bench.take()).toEqual(['request', 'transition']);
    bench.recv(2, 'alice', 'bob', 'carl');
    expect(states(bench)).toEqual(['joined', 'authorize']);
  });
});

describe('a leaver', () => {
  it('is announced by a request and a transitional signal', () => {
    const bench = steady('alice', 'bob', 'carl');
    bench.view(2, ['alice', 'bob'], 'disconnect', 'carl');
    expect(bench.take()).toEqual(['request', 'transition']);
    bench.state.onSpread({ kind: 'transition', group: 'g', viewId: idOf(new Uint8Array(12)) });
    expect(bench.take()).toEqual([]);
    bench.state.flush('g');
    bench.ok(2, 'alice', 'bob');
    expect(bench.take()).toEqual(['> ok 2', 'view 2 disconnect alice,bob vs carl', '> recv 2']);
  });

  it('who had not agreed takes the change with it; the next becomes a network change, already permitted', () => {
    const bench = steady('alice', 'bob');
    bench.view(2, ['alice', 'bob', 'carl'], 'join', 'carl');
    bench.state.flush('g');
    bench.ok(2, 'alice', 'bob');
    bench.take();
    bench.view(3, ['alice', 'bob'], 'disconnect', 'carl');
    expect(bench.take()).toEqual(['> ok 3']);
    bench.ok(2, 'carl');
    expect(bench.take()).toEqual([]);
    bench.ok(3, 'alice', 'bob');
    expect(bench.take()).toEqual(['view 3 network alice,bob vs alice,bob', '> recv 3']);
  });

  it('who had not agreed, before the application answered: one answer serves for the new change', () => {
    const bench = steady('alice', 'bob');
    bench.view(2, ['alice', 'bob', 'carl'], 'join', 'carl');
    expect(bench.take()).toEqual(['request']);
    bench.view(3, ['alice', 'bob'], 'leave', 'carl');
    expect(bench.take()).toEqual([]);
    bench.state.flush('g');
    expect(bench.take()).toEqual(['> ok 3']);
  });

  it('who had agreed leaves the change to be completed, and the view begins in transition', () => {
    const bench = steady('alice', 'bob');
    bench.view(2, ['alice', 'bob', 'carl'], 'join', 'carl');
    bench.ok(2, 'carl');
    bench.view(3, ['alice', 'bob'], 'disconnect', 'carl');
    bench.state.flush('g');
    expect(bench.take()).toEqual(['request', '> ok 2']);
    bench.ok(2, 'alice', 'bob');
    expect(bench.take()).toEqual(['view 2 join alice,bob,carl vs carl', 'request', 'transition']);
    bench.text('carl', 'too late');
    bench.text('bob', 'in time');
    bench.state.flush('g');
    bench.ok(3, 'alice', 'bob');
    expect(bench.take()).toEqual(['message bob in time', '> ok 3', 'view 3 disconnect alice,bob vs carl', '> recv 3']);
  });

  it('drops every queued change it had not agreed to, and only the change after a gap is widened', () => {
    const bench = steady('alice', 'bob');
    bench.view(2, ['alice', 'bob', 'carl'], 'join', 'carl');
    bench.view(3, ['alice', 'bob', 'carl', 'dora'], 'join', 'dora');
    bench.ok(3, 'carl', 'dora');
    bench.view(4, ['alice', 'bob', 'dora'], 'leave', 'carl');
    bench.state.flush('g');
    expect(bench.take()).toEqual(['request', '> ok 3']);
    bench.ok(3, 'alice', 'bob');
    expect(bench.take()).toEqual(['view 3 network alice,bob,carl,dora vs alice,bob', 'request', 'transition']);
    bench.state.flush('g');
    bench.ok(4, 'alice', 'bob', 'dora');
    expect(bench.take()).toEqual(['> ok 4', 'view 4 leave alice,bob,dora vs carl', '> recv 4']);
  });
});

describe('a network change', () => {
  it('gives as vs set those of the old view that came along, in its order', () => {
    const bench = steady('bob', 'alice', 'carl');
    bench.view(2, ['alice', 'bob', 'zoe'], 'network', undefined, ['alice', 'bob']);
    expect(bench.take()).toEqual(['request', 'transition']);
    bench.text('carl', 'from the other side');
    bench.state.flush('g');
    bench.ok(2, 'alice', 'bob', 'zoe');
    expect(bench.take()).toEqual(['> ok 2', 'view 2 network alice,bob,zoe vs bob,alice', '> recv 2']);
  });

  it('takes a member that went another way for gone, even if it is in the new view', () => {
    const bench = steady('alice', 'bob');
    bench.view(2, ['alice', 'bob'], 'network', undefined, ['alice']);
    bench.text('bob', 'sent elsewhere');
    bench.state.flush('g');
    bench.ok(2, 'alice', 'bob');
    expect(bench.take()).toEqual(['request', 'transition', '> ok 2', 'view 2 network alice,bob vs alice', '> recv 2']);
  });

  it('that loses nobody gives no transitional signal, unless Spread does', () => {
    const bench = steady('alice');
    bench.view(2, ['alice', 'bob'], 'network', undefined, ['alice']);
    expect(bench.take()).toEqual(['request']);
    bench.state.onSpread({ kind: 'transition', group: 'g', viewId: idOf(new Uint8Array(12)) });
    expect(bench.take()).toEqual(['transition']);
  });
});

describe('a message', () => {
  it('is delivered from members present in the view only', () => {
    const bench = steady('alice', 'bob', 'carl');
    bench.view(2, ['alice', 'bob'], 'leave', 'carl');
    bench.take();
    for (const name of ['alice', 'bob', 'carl', 'stranger']) bench.text(name, 'hi');
    expect(bench.take()).toEqual(['message alice hi', 'message bob hi']);
  });

  it('in vulnerable form is postponed when it is ahead, and delivered behind the view', () => {
    const bench = steady('alice', 'bob');
    bench.view(2, ['alice', 'bob', 'carl'], 'join', 'carl');
    bench.state.flush('g');
    bench.ok(2, 'bob', 'carl');
    bench.take();
    bench.vulnerable('carl', 'early', 2);
    bench.vulnerable('bob', 'early too', 2, 'big');
    bench.vulnerable('stranger', 'never', 2);
    expect(bench.take()).toEqual([]);
    bench.ok(2, 'alice');
    expect(bench.take()).toEqual([
      'view 2 join alice,bob,carl vs carl',
      '> recv 2',
      'message carl early',
      'message bob early too',
    ]);
    const first = bench.delivered.find((event) => event.kind === 'message');
    expect(first).toMatchObject({ type: 77, service: 'fifo', group: 'g', groups: ['g'] });
  });

  it('postponed for a change that is given up is given up with it', () => {
    const bench = steady('alice', 'bob');
    bench.view(2, ['alice', 'bob', 'carl'], 'join', 'carl');
    bench.state.flush('g');
    bench.vulnerable('bob', 'for a view that never comes', 2);
    bench.view(3, ['alice', 'bob'], 'disconnect', 'carl');
    bench.ok(3, 'alice', 'bob');
    expect(bench.take().filter((entry) => entry.startsWith('message'))).toEqual([]);
  });

  it('in vulnerable form is delivered in the view it names, and in no other', () => {
    const bench = steady('alice', 'bob');
    bench.vulnerable('bob', 'now', 1);
    bench.vulnerable('bob', 'other view', 7);
    expect(bench.take()).toEqual(['message bob now']);
  });

  it('to the own private name comes at once; of unknown groups never', () => {
    const bench = new FlushBench('alice');
    bench.message('bob', { groups: [member('alice'), 'g'], data: Buffer.from('hi') });
    bench.text('bob', 'unknown group');
    bench.message('bob', { groups: [], data: Buffer.from('to nobody') });
    expect(bench.take()).toEqual(['message bob hi']);
    expect(bench.delivered[0]).toMatchObject({ group: member('alice') });
  });

  it('that says it has more behind its data than it has is dropped', () => {
    const bench = steady('alice', 'bob');
    bench.message('bob', { type: -32_766, data: Buffer.alloc(13) });
    bench.message('bob', { type: -32_768, data: Buffer.alloc(11) });
    bench.message('bob', { type: -32_767, data: Buffer.alloc(13) });
    bench.message('bob', { serviceBits: 0x4000_0000, data: Buffer.alloc(31) });
    expect(bench.take()).toEqual([]);
  });
});

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

  it('is for members only', () => {
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

describe('sending', () => {
  const lastSent = (bench: FlushBench) => {
    const send = bench.sent.at(-1)!;
    return { ...send, data: asBytes(send) };
  };

  it('is plain in a steady view, and to private names always', () => {
    const bench = steady('alice', 'bob');
    bench.state.multicast('g', ['one ', 'two'], { service: 'fifo', type: 5, selfDiscard: true });
    expect(lastSent(bench)).toEqual({
      groups: ['g'],
      service: 'fifo',
      type: 5,
      selfDiscard: true,
      subgroupCast: false,
      data: Buffer.from('one two'),
    });
    new FlushBench('eve').state.multicast('#bob#d', ['x'], {});
  });

  it.each([
    ['unreliable', true],
    ['reliable', true],
    ['fifo', true],
    ['causal', false],
    ['agreed', false],
    ['safe', false],
  ] as const)('%s while a view changes or is verified is in vulnerable form: %s', (service, vulnerable) => {
    const bench = steady('alice', 'bob');
    bench.view(2, ['alice', 'bob', 'carl'], 'join', 'carl');
    bench.state.multicast('g', ['authorize'], { service, type: -2 });
    const check = (text: string, index: number): void => {
      const { type, data } = lastSent(bench);
      expect(type).toBe(vulnerable ? -32_766 : -2);
      expect(data.subarray(0, text.length).toString()).toBe(text);
      expect(data.length).toBe(text.length + (vulnerable ? 14 : 0));
      if (!vulnerable) return;
      expect(data.readInt16LE(text.length)).toBe(-2);
      expect(idOf(data.subarray(text.length + 2)).index).toBe(index);
    };
    check('authorize', 1);
    bench.state.flush('g');
    bench.ok(2, 'alice', 'bob', 'carl');
    bench.state.multicast('g', ['verify'], { service, type: -2 });
    check('verify', 2);
    bench.recv(2, 'alice', 'bob', 'carl');
    bench.state.multicast('g', ['steady'], { service, type: -2 });
    expect(lastSent(bench)).toMatchObject({ type: -2, data: Buffer.from('steady') });
  });

  it('to some members names the group last, and is given back with it', () => {
    const bench = steady('alice', 'bob', 'carl');
    bench.state.subgroupMulticast('g', [member('bob'), member('alice')], ['hello'], { type: 3 });
    const sent = lastSent(bench);
    expect(sent).toMatchObject({ groups: [member('bob'), member('alice')], type: 3, subgroupCast: true });
    expect(sent.data.toString()).toBe(`hellog${'\0'.repeat(31)}`);
    bench.message('alice', { ...sent, serviceBits: 0x4000_0010, data: sent.data });
    expect(bench.delivered.at(-1)).toMatchObject({
      group: 'g',
      groups: sent.groups,
      subgroup: true,
      type: 3,
      data: Buffer.from('hello'),
    });
  });

  it('to some members may be vulnerable too: the suffix stands before the name', () => {
    const bench = steady('alice', 'bob');
    bench.view(2, ['alice', 'bob', 'carl'], 'join', 'carl');
    bench.state.subgroupMulticast('g', [member('bob')], ['hello'], { service: 'fifo', type: 3 });
    const { data, type } = lastSent(bench);
    expect(type).toBe(-32_766);
    expect(data.length).toBe(5 + 14 + 32);
    bench.message('bob', { type, service: 'fifo', serviceBits: 0x4000_0004, data, groups: [member('alice')] });
    expect(bench.delivered.at(-1)).toMatchObject({ group: 'g', type: 3, data: Buffer.from('hello') });
  });

  it('to a private name in its own name is free', () => {
    const bench = new FlushBench('alice');
    bench.state.subgroupMulticast('#bob#d', ['#bob#d'], ['x'], {});
    expect(codeOf(() => bench.state.subgroupMulticast('#bob#d', ['#eve#d'], ['x'], {}))).toBe('ILLEGAL_RECEIVERS');
  });

  it('is refused where it would break the view', () => {
    const bench = steady('alice', 'bob');
    expect(codeOf(() => bench.state.multicast('other', ['x'], {}))).toBe('ILLEGAL_GROUP');
    expect(codeOf(() => bench.state.flush('other'))).toBe('ILLEGAL_GROUP');
    expect(codeOf(() => bench.state.flush('g'))).toBe('ILLEGAL_STATE');
    expect(codeOf(() => bench.state.multicast('g', ['x'], { type: -32_766 }))).toBe('ILLEGAL_MESSAGE_TYPE');
    expect(codeOf(() => bench.state.multicast('g', ['x'], { type: -32_765 }))).toBe('nothing thrown');
    expect(codeOf(() => bench.state.subgroupMulticast('g', [], ['x'], {}))).toBe('ILLEGAL_RECEIVERS');
    expect(codeOf(() => bench.state.subgroupMulticast('g', [member('carl')], ['x'], {}))).toBe('ILLEGAL_RECEIVERS');
    bench.view(2, ['alice', 'bob', 'carl'], 'join', 'carl');
    expect(codeOf(() => bench.state.subgroupMulticast('g', [member('carl')], ['x'], {}))).toBe('ILLEGAL_RECEIVERS');
    bench.state.flush('g');
    expect(codeOf(() => bench.state.flush('g'))).toBe('ILLEGAL_STATE');
    expect(codeOf(() => bench.state.multicast('g', ['x'], {}))).toBe('ILLEGAL_STATE');
    const joining = new FlushBench('bob');
    joining.state.beginJoin('g');
    expect(codeOf(() => joining.state.multicast('g', ['x'], {}))).toBe('ILLEGAL_GROUP');
  });
});

describe('signs of a change', () => {
  it('whose membership message never comes are forgotten after 200 others', () => {
    const bench = steady('alice');
    bench.ok(1000, 'alice', 'ghost');
    const views = (count: number, from: number): void => {
      for (let i = 0; i < count; i++) {
        bench.view(from + i, ['alice'], 'network', undefined, ['alice']);
        bench.state.flush('g');
        bench.ok(from + i, 'alice');
      }
    };
    views(201, 2);
    bench.view(1000, ['alice', 'ghost'], 'join', 'ghost');
    bench.state.flush('g');
    bench.take();
    bench.ok(1000, 'alice');
    expect(bench.take()).toEqual([]);
    bench.ok(1000, 'ghost');
    expect(bench.take()[0]).toBe('view 1000 join alice,ghost vs ghost');
  });

  it('are kept for 200 others', () => {
    const bench = steady('alice');
    bench.ok(1000, 'ghost');
    for (let i = 2; i < 202; i++) {
      bench.view(i, ['alice'], 'network', undefined, ['alice']);
      bench.state.flush('g');
      bench.ok(i, 'alice');
    }
    bench.view(1000, ['alice', 'ghost'], 'join', 'ghost');
    bench.state.flush('g');
    bench.take();
    bench.ok(1000, 'alice');
    expect(bench.take()[0]).toBe('view 1000 join alice,ghost vs ghost');
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
      // The user answered the request for bob's join, and quit at the one for alice's disconnect.
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
