/** How flush sessions agree on views: joiners, changes, leavers, changes of the network. */
import { describe, expect, it } from 'vitest';
import { FlushBench, idOf, states, steady } from './flush-bench.ts';

describe('a joiner', () => {
  it('permits its first views by itself, and becomes a member with the first view that all agree to', () => {
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

  it('is created by the first membership message, even without a request', () => {
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

  it('counts FLUSH_RECVs of faster members only', () => {
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

  it('that arrives during another change waits for it, and asks again', () => {
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

  it('may follow directly after an installed one', () => {
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

  it('counts a member that moved separately as gone, even if it is in the new view', () => {
    const bench = steady('alice', 'bob');
    bench.view(2, ['alice', 'bob'], 'network', undefined, ['alice']);
    bench.text('bob', 'sent elsewhere');
    bench.state.flush('g');
    bench.ok(2, 'alice', 'bob');
    expect(bench.take()).toEqual(['request', 'transition', '> ok 2', 'view 2 network alice,bob vs alice', '> recv 2']);
  });

  it('that loses no member gives no transitional signal, unless Spread does', () => {
    const bench = steady('alice');
    bench.view(2, ['alice', 'bob'], 'network', undefined, ['alice']);
    expect(bench.take()).toEqual(['request']);
    bench.state.onSpread({ kind: 'transition', group: 'g', viewId: idOf(new Uint8Array(12)) });
    expect(bench.take()).toEqual(['transition']);
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
