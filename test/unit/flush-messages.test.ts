/** Messages of a flush session: which are delivered in which view, and in which form they are sent. */
import { describe, expect, it } from 'vitest';
import { asBytes, codeOf, FlushBench, idOf, member, steady } from './flush-bench.ts';

describe('a message', () => {
  it('is delivered only from members present in the view', () => {
    const bench = steady('alice', 'bob', 'carl');
    bench.view(2, ['alice', 'bob'], 'leave', 'carl');
    bench.take();
    for (const name of ['alice', 'bob', 'carl', 'stranger']) bench.text(name, 'hi');
    expect(bench.take()).toEqual(['message alice hi', 'message bob hi']);
  });

  it('in vulnerable form is postponed when it is ahead, and delivered after the view', () => {
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

  it('postponed for a change that is abandoned is dropped with it', () => {
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

  it('to the own private name is delivered at once; to an unknown group, never', () => {
    const bench = new FlushBench('alice');
    bench.message('bob', { groups: [member('alice'), 'g'], data: Buffer.from('hi') });
    bench.text('bob', 'unknown group');
    bench.message('bob', { groups: [], data: Buffer.from('to nobody') });
    expect(bench.take()).toEqual(['message bob hi']);
    expect(bench.delivered[0]).toMatchObject({ group: member('alice') });
  });

  it('whose suffix is longer than its data is dropped', () => {
    const bench = steady('alice', 'bob');
    bench.message('bob', { type: -32_766, data: Buffer.alloc(13) });
    bench.message('bob', { type: -32_768, data: Buffer.alloc(11) });
    bench.message('bob', { type: -32_767, data: Buffer.alloc(13) });
    bench.message('bob', { serviceBits: 0x4000_0000, data: Buffer.alloc(31) });
    expect(bench.take()).toEqual([]);
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

  it('is refused when it would break the view', () => {
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
