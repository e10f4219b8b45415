import { describe, expect, it } from 'vitest';
import { controlLine, describeEvent, eventToJson } from '../../cli/format-event.ts';
import { printable, seconds, table } from '../../cli/text.ts';
import { ViewChanges } from '../../cli/view-changes.ts';
import { type Membership, type Message, ViewId } from '../../client/index.ts';

const message = (data: Buffer): Message => ({
  kind: 'message',
  service: 'agreed',
  type: 7,
  sender: '#alice#localhost',
  groups: ['room', 'hall'],
  data,
  selfDiscard: false,
  byteOrder: 'little',
  serviceBits: 0x10,
});

const view: Membership = {
  kind: 'membership',
  group: 'room',
  viewId: new ViewId(0x7f00_0001, 1000, 3),
  cause: 'network',
  members: ['#alice#a', '#bob#b'],
  ownIndex: 1,
  changed: undefined,
  vsSets: [['#alice#a'], ['#bob#b']],
  ownVsSet: 1,
};

describe('events as JSON', () => {
  it('have text as text and other bytes as base64', () => {
    const common = {
      kind: 'message',
      groups: ['room', 'hall'],
      sender: '#alice#localhost',
      service: 'agreed',
      type: 7,
    };
    expect(eventToJson(message(Buffer.from('grüß')), new ViewChanges())).toEqual({ ...common, data: 'grüß' });
    expect(eventToJson(message(Buffer.from([0xff, 0])), new ViewChanges())).toEqual({ ...common, dataBase64: '/wA=' });
  });

  it('have VS sets only for changes of the network', () => {
    const common = {
      kind: 'membership',
      group: 'room',
      viewId: '127.0.0.1:1000:3',
      members: view.members,
      ownIndex: 1,
    };
    expect(eventToJson(view, new ViewChanges())).toEqual({
      ...common,
      cause: 'network',
      joined: [],
      left: [],
      vsSets: view.vsSets,
      ownVsSet: 1,
    });
    const join: Membership = { ...view, cause: 'join', changed: '#bob#b', vsSets: [['#bob#b']], ownVsSet: 0 };
    expect(eventToJson(join, new ViewChanges())).toEqual({
      ...common,
      cause: 'join',
      changed: '#bob#b',
      joined: ['#bob#b'],
      left: [],
    });
  });
});

describe('events as text', () => {
  it('show a view on one line', () => {
    const leave: Membership = { ...view, cause: 'leave', changed: '#carol#a' };
    expect(controlLine(leave, new ViewChanges())).toBe('# room: #carol#a left; 2 members: #alice#a #bob#b');
    expect(controlLine({ kind: 'selfLeave', group: 'room' }, new ViewChanges())).toBe('# room: left');
  });

  it('show who joined and who left when the network changed, for each group separately', () => {
    const changes = new ViewChanges();
    const viewOf = (members: readonly string[], group = 'room'): Membership => ({ ...view, group, members });
    controlLine({ ...viewOf(['#alice#a', '#carol#c']), cause: 'join', changed: '#alice#a' }, changes);
    controlLine({ ...viewOf(['#alice#a'], 'hall'), cause: 'join', changed: '#alice#a' }, changes);
    expect(controlLine(viewOf(['#alice#a', '#bob#b', '#dave#b']), changes)).toBe(
      '# room: the network of daemons changed; left: #carol#c; joined: #bob#b #dave#b; 3 members: #alice#a #bob#b #dave#b',
    );
    expect(eventToJson(viewOf(['#alice#a']), changes)).toMatchObject({ joined: [], left: ['#bob#b', '#dave#b'] });
    expect(controlLine(viewOf(['#alice#a']), changes)).toBe(
      '# room: the network of daemons changed; 1 member: #alice#a',
    );
    expect(describeEvent(viewOf(['#alice#a', '#eve#e'], 'hall'), changes)).toMatch(
      /^\[view\] of hall: 2 members, because the network of daemons changed; joined: #eve#e; view /,
    );
    changes.forget('hall');
    const again: Membership = { ...viewOf(['#alice#a', '#eve#e'], 'hall'), cause: 'join', changed: '#alice#a' };
    expect(eventToJson(again, changes)).toMatchObject({ joined: ['#alice#a'], left: [] });
  });

  it('show all of a view', () => {
    expect(describeEvent(view, new ViewChanges()).split('\n')).toEqual([
      '[view] of room: 2 members, because the network of daemons changed; view 127.0.0.1:1000:3',
      '    #alice#a',
      '    #bob#b  (this session)',
      '  came together from the previous view:',
      '    without it: #alice#a',
      '    with this session: #bob#b',
    ]);
  });

  it('escape control characters, so that data cannot control the terminal', () => {
    expect(describeEvent(message(Buffer.from('a\u001b[2Jb\tc\nd')), new ViewChanges())).toBe(
      '[message] from #alice#localhost to room hall: agreed, type 7, 10 bytes\na\\x1b[2Jb\tc\nd',
    );
    expect(printable('\u009b\u007f\r')).toBe('\\x9b\\x7f\\x0d');
  });
});

describe('text', () => {
  it('aligns columns', () => {
    expect(
      table([
        ['name', 'n'],
        ['a', '1,000'],
        ['bcdef', ''],
      ]),
    ).toBe('name       n\na      1,000\nbcdef');
  });

  it('shows short times with more digits', () => {
    expect([seconds(123), seconds(9_999), seconds(12_345)]).toEqual(['0.12 s', '10.00 s', '12.3 s']);
  });
});
