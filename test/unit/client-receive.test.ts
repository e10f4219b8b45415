import { describe, expect, it } from 'vitest';
import { type Batch, type ReceivedEvent, SkeinError, ViewId } from '../../client/index.ts';
import {
  AGREED,
  frame,
  message,
  ReceiverBench,
  selfLeaveFrame,
  transitionFrame,
  viewBody,
  viewFrame,
} from './client-frames.ts';

const texts = (events: readonly ReceivedEvent[]): string[] =>
  events.map((event) => (event.kind === 'message' ? event.data.toString() : event.kind));

const nextTick = (): Promise<void> => new Promise((resolve) => process.nextTick(resolve));

describe('decoding', () => {
  const decodeOne = (bytes: Buffer): ReceivedEvent => {
    const bench = new ReceiverBench();
    bench.feed(bytes);
    expect(bench.failure).toBeUndefined();
    expect(bench.events).toHaveLength(1);
    return bench.events[0]!;
  };

  it('gives all of a message', () => {
    const event = decodeOne(
      frame({ type: 0x4000_0044, sender: '#bob#x', groups: ['a', '#c#y'], messageType: -3, data: 'data' }),
    );
    expect(event).toEqual({
      kind: 'message',
      service: 'fifo',
      type: -3,
      sender: '#bob#x',
      groups: ['a', '#c#y'],
      data: Buffer.from('data'),
      selfDiscard: true,
      byteOrder: 'little',
      serviceBits: 0x4000_0044,
    });
  });

  it('cuts names at the first NUL, and at byte 31 when there is none', () => {
    const bytes = frame({ type: AGREED, sender: 'x', groups: ['g', 'h'] });
    bytes.fill('A', 4, 36);
    bytes.fill('?', 50, 80);
    expect(decodeOne(bytes)).toMatchObject({ sender: 'A'.repeat(31), groups: ['g', 'h'] });
  });

  it('takes the byte order of the data from the hint, of the frame from its type', () => {
    const bytes = message('x');
    bytes.set([0x00, 0x01, 0x02, 0x00], 40);
    expect(decodeOne(bytes)).toMatchObject({ byteOrder: 'big', type: 258 });
  });

  it('gives a view with the own index, who changed and the sets', () => {
    const members = ['#alice#localhost', '#bob#localhost'];
    expect(decodeOne(viewFrame({ group: 'room', members, cause: 'disconnect', changed: '#carl#localhost' }))).toEqual({
      kind: 'membership',
      group: 'room',
      viewId: new ViewId(0x7f00_0001, 1000, 1),
      cause: 'disconnect',
      members,
      ownIndex: 0,
      changed: '#carl#localhost',
      vsSets: [['#carl#localhost']],
      ownVsSet: 0,
    });
  });

  it('gives a network change with every set and the own one marked', () => {
    const vsSets = [['#carol#d3'], ['#alice#localhost', '#bob#localhost']];
    const members = ['#alice#localhost', '#bob#localhost', '#carol#d3'];
    const event = decodeOne(viewFrame({ group: 'room', members, cause: 'network', vsSets, ownVsSet: 1 }));
    expect(event).toMatchObject({ cause: 'network', changed: undefined, vsSets, ownVsSet: 1, members });
  });

  it('gives transitional signals and self-leaves', () => {
    expect(decodeOne(transitionFrame('room', [1, 2, 3]))).toEqual({
      kind: 'transition',
      group: 'room',
      viewId: new ViewId(1, 2, 3),
    });
    expect(decodeOne(selfLeaveFrame('room'))).toEqual({ kind: 'selfLeave', group: 'room' });
  });

  it('gives rejects without the appended originator', () => {
    const sender = '#alice#localhost';
    const reject = { type: 0x0040_0000, sender, groups: ['room', sender] };
    expect(decodeOne(frame({ ...reject, oldType: 0x100 }))).toMatchObject({ request: 'join', groups: ['room'] });
    expect(decodeOne(frame({ ...reject, oldType: 0x200 }))).toMatchObject({ request: 'leave', service: undefined });
    expect(decodeOne(frame({ ...reject, oldType: 0x20, messageType: 9, data: 'no' }))).toEqual({
      kind: 'reject',
      request: 'multicast',
      service: 'safe',
      type: 9,
      groups: ['room'],
      data: Buffer.from('no'),
      serviceBits: 0x0040_0020,
    });
  });

  it.each([
    ['a view', 0x1110],
    ['a self-leave', 0x0210],
    ['a reject', 0x0040_0010],
  ])('takes what a client forged to look like %s for a message, and keeps the framing', (_, type) => {
    const bench = new ReceiverBench();
    bench.feed(Buffer.concat([frame({ type, sender: '#eve#x', groups: ['room'], data: 'forged' }), message('next')]));
    expect(texts(bench.events)).toEqual(['forged', 'next']);
    expect(bench.observed).toEqual([]);
  });

  it('lets events own their data', () => {
    const bench = new ReceiverBench();
    const bytes = message('mine');
    bench.feed(bytes);
    bench.feed(message('YOURS'));
    expect(texts(bench.events)).toEqual(['mine', 'YOURS']);
  });
});

describe('malformed streams', () => {
  const withInt = (bytes: Buffer, offset: number, value: number): Buffer => {
    const copy = Buffer.from(bytes);
    copy.writeInt32LE(value, offset);
    return copy;
  };
  const noCause = frame({
    type: 0x1000,
    sender: 'g',
    groups: ['#a#b'],
    data: viewBody({ group: 'g', members: ['#a#b'] }),
  });

  it.each<[string, Buffer, RegExp]>([
    ['negative num_groups', withInt(message('x'), 36, -1), /num_groups -1/],
    ['negative data_len', withInt(message('x'), 44, -5), /data_len -5/],
    ['a frame beyond all bounds', withInt(message('x'), 44, 0x7fff_ffff), /length of a frame/],
    ['half an endian flag', withInt(message('x'), 0, 0x90), /type 144/],
    ['a type no daemon sends', frame({ type: 0x0008_0000, sender: 'x' }), /type 0x80000/],
    ['a view without cause', noCause, /exactly one cause/],
    ['a view that names nobody', viewFrame({ group: 'g', members: ['#a#b'], vsSets: [[]] }), /names nobody/],
    ['a view with too short a body', frame({ type: 0x1100, sender: 'g', data: 'short' }), /data_len of a view is 5/],
    ['a transition without its id', frame({ type: 0x2000, sender: 'g' }), /group id is 0/],
  ])('end the session at %s, after the frames before it', (_, bad, problem) => {
    const bench = new ReceiverBench();
    bench.feed(Buffer.concat([message('good'), bad, message('never')]));
    expect(texts(bench.events)).toEqual(['good']);
    expect(bench.failure?.code).toBe('ILLEGAL_MESSAGE');
    expect(bench.failure?.message).toMatch(problem);
  });
});

describe('batches', () => {
  function collect(feed: (bench: ReceiverBench) => void, handler: (batch: Batch) => void): void {
    const bench = new ReceiverBench();
    bench.listening = false;
    let handled = 0;
    bench.receiver.setBatchHandler((batch) => {
      handled++;
      handler(batch);
    });
    feed(bench);
    expect(handled).toBeGreaterThan(0);
  }

  it('walk the frames of one read with one cursor', () => {
    const seen: unknown[] = [];
    const cursors = new Set<Batch>();
    const handler = (batch: Batch): void => {
      cursors.add(batch);
      seen.push(batch.length);
      while (batch.next()) {
        seen.push([batch.kind, batch.sender, batch.groupCount, batch.group(0), batch.data().toString()]);
      }
    };
    collect((bench) => {
      bench.feed(Buffer.concat([message('a'), message('b', '#carl#x', ['g', 'h'])]));
      bench.feed(message('c'));
    }, handler);
    expect(cursors.size).toBe(1);
    expect(seen).toEqual([
      2,
      ['message', '#bob#localhost', 1, 'room', 'a'],
      ['message', '#carl#x', 2, 'g', 'b'],
      1,
      ['message', '#bob#localhost', 1, 'room', 'c'],
    ]);
  });

  it('give data by offset and length, and compare names without strings', () => {
    collect(
      (bench) => bench.feed(message('payload', '#bob#x', ['room', 'r'.repeat(31)])),
      (batch) => {
        batch.next();
        expect(batch.bytes.toString('latin1', batch.dataOffset, batch.dataOffset + batch.dataLength)).toBe('payload');
        expect(batch.service).toBe('agreed');
        for (const [name, equal] of [
          ['#bob#x', true],
          ['#bob#', false],
          ['#bob#xy', false],
          ['', false],
          ['#bob#x\0', false],
          ['x'.repeat(32), false],
        ] as const)
          expect(batch.senderEquals(name)).toBe(equal);
        expect(batch.groupEquals(1, 'r'.repeat(31))).toBe(true);
        expect(batch.groupEquals(1, 'r'.repeat(30))).toBe(false);
        expect(() => batch.group(2)).toThrow(SkeinError);
        expect(() => batch.groupEquals(-1, 'room')).toThrow(SkeinError);
      },
    );
  });

  it('are valid only during the call; copies and retained data stay valid', () => {
    let batchSeen: Batch | undefined;
    let view: Buffer | undefined;
    let copy: Buffer | undefined;
    let kept: Batch | undefined;
    let kind: ReceivedEvent | undefined;
    collect(
      (bench) => {
        bench.feed(Buffer.concat([message('one'), message('two'), viewFrame({ group: 'g', members: ['#a#b'] })]));
        bench.receiver.setBatchHandler(() => undefined);
        bench.feed(message('ONE'));
      },
      (batch) => {
        batchSeen = batch;
        batch.next();
        view = batch.data();
        copy = batch.copy();
        kind = batch.event();
        kept = batch.retain();
      },
    );
    expect(batchSeen?.next()).toBe(false);
    expect(batchSeen?.dataLength).toBe(0);
    expect(view?.toString()).toBe('ONE');
    expect(copy?.toString()).toBe('one');
    expect(kind).toMatchObject({ kind: 'message', data: Buffer.from('one') });
    expect(kept?.length).toBe(2);
    expect(kept?.next()).toBe(true);
    expect(kept?.data().toString()).toBe('two');
    expect(kept?.next()).toBe(true);
    expect(kept?.event()).toMatchObject({ kind: 'membership', group: 'g' });
    expect(kept?.next()).toBe(false);
  });

  it('whose handler throws cause an uncaught exception, and the next batch still arrives', async () => {
    const thrown: unknown[] = [];
    const handlers = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    process.on('uncaughtException', (error) => thrown.push(error));
    const failure = new Error('handler');
    let calls = 0;
    collect(
      (bench) => {
        bench.feed(message('a'));
        bench.feed(message('b'));
      },
      () => {
        calls++;
        throw failure;
      },
    );
    await new Promise((resolve) => setImmediate(resolve));
    process.removeAllListeners('uncaughtException');
    for (const handler of handlers) process.on('uncaughtException', handler);
    expect(calls).toBe(2);
    expect(thrown).toEqual([failure, failure]);
  });
});

describe('waiting frames', () => {
  it('are kept until they are taken, in any way of receiving, once and in order', async () => {
    const bench = new ReceiverBench();
    bench.listening = false;
    bench.feed(Buffer.concat(['a', 'b', 'c', 'd', 'e', 'f'].map((text) => message(text))));
    const pulled = await bench.receiver.next();
    expect(pulled.done === false && texts([pulled.value])).toEqual(['a']);
    bench.listening = true;
    bench.receiver.scheduleDrain();
    bench.receiver.pause();
    await nextTick();
    expect(bench.events).toEqual([]);
    bench.listening = false;
    const batched: string[] = [];
    bench.receiver.setBatchHandler((batch) => {
      while (batch.next()) batched.push(batch.data().toString());
    });
    bench.feed(message('g'));
    bench.receiver.resume();
    await nextTick();
    expect(batched).toEqual(['b', 'c', 'd', 'e', 'f', 'g']);
  });

  it('reach listeners before newer frames', async () => {
    const bench = new ReceiverBench();
    bench.listening = false;
    bench.feed(message('old'));
    bench.listening = true;
    bench.receiver.scheduleDrain();
    bench.feed(message('new'));
    await nextTick();
    expect(texts(bench.events)).toEqual(['old', 'new']);
  });

  it('stay queued when a listener pauses in the middle of a read', async () => {
    const bench = new ReceiverBench();
    const { receiver, events } = bench;
    const push = events.push.bind(events);
    events.push = (event) => {
      receiver.pause();
      return push(event);
    };
    bench.feed(Buffer.concat([message('a'), message('b')]));
    expect(texts(events)).toEqual(['a']);
    expect(bench.reading).toBe(false);
    receiver.resume();
    await nextTick();
    expect(texts(events)).toEqual(['a', 'b']);
  });

  it('pause reading at the bound and resume it at half of the bound', async () => {
    const bench = new ReceiverBench('#a#b', 1000);
    bench.listening = false;
    const frameOf100Bytes = message('x'.repeat(20));
    for (let i = 0; i < 9; i++) bench.feed(frameOf100Bytes);
    expect(bench.reading).toBe(true);
    bench.feed(frameOf100Bytes);
    expect(bench.reading).toBe(false);
    for (let i = 0; i < 4; i++) await bench.receiver.next();
    expect(bench.reading).toBe(false);
    await bench.receiver.next();
    expect(bench.reading).toBe(true);
  });

  it('can still be taken after the connection is lost, but not after closing', async () => {
    for (const [error, expected] of [
      [new Error('lost'), 'value'],
      [undefined, 'done'],
    ] as const) {
      const bench = new ReceiverBench();
      bench.listening = false;
      bench.feed(message('last'));
      bench.receiver.finish(error as never);
      const first = await bench.receiver.next();
      expect(first.done === true ? 'done' : 'value').toBe(expected);
      if (error !== undefined) await expect(bench.receiver.next()).rejects.toBe(error);
    }
  });
});
