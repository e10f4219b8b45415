/** The checker itself is tested: every GRP property accepts a good trace and rejects one that breaks it. */
import { describe, expect, it } from 'vitest';
import { check, GROUP_PROPERTIES } from './checker/check.ts';
import { Story } from './trace/story.ts';

/** Clients x at a, y at b, z at c; all asked for views. */
const newStory = (): Story => new Story().client('x', 'a').client('y', 'b').client('z', 'c');

/** x, y and z are in red. */
const JOINED = `
  abc R4{abc}
  a >1a#1+x:red
  abc <a1
  x view red 4:1 join x sets=x
  b >1a#2+y:red
  abc <b1
  x view red 4:2 join x+y sets=y
  y view red 4:2 join x+y sets=y
  c >1a#3+z:red
  abc <c1
  x view red 4:3 join x+y+z sets=z
  y view red 4:3 join x+y+z sets=z
  z view red 4:3 join x+y+z sets=z
`;

/** Then c crashes. */
const LOST = `
  c crash
  ab T5{ab}
  x transition red 4:3
  y transition red 4:3
  ab R5{ab}
  x view red 5:1 network x+y sets=x+y own=0
  y view red 5:1 network x+y sets=x+y own=0
`;

const good = () =>
  newStory()
    .tell(JOINED)
    .multicast('x', 2, ['red'])
    .tell(
      `a >2a#4
       abc <a2
       x message a2 red
       y message a2 red
       z message a2 red
       b >2a#5-y:red
       abc <b2
       y self-leave red
       x view red 4:4 leave x+z sets=y
       z view red 4:4 leave x+z sets=y
       b >3a#6+y:red
       abc <b3
       x view red 4:5 join x+y+z sets=y
       y view red 4:5 join x+y+z sets=y
       z view red 4:5 join x+y+z sets=y
       c crash
       ab T5{ab}
       x transition red 4:5
       y transition red 4:5
       ab R5{ab}
       x view red 5:1 network x+y sets=x+y own=0
       y view red 5:1 network x+y sets=x+y own=0`,
    );

/** x joins and sends in the same breath. */
const OWN_JOIN = `
  abc R4{abc}
  a >1a#1+x:red
  a >2r#2
  abc <a1 <a2
`;

const message = (story: Story, lines: string): Story =>
  story.multicast('x', 2, ['red']).tell(`a >2a#4\nabc <a2\n${lines}`);

const ALL_GET_IT = 'x message a2 red\ny message a2 red\nz message a2 red';

const BROKEN: readonly { property: string; how: string; story: () => Story }[] = [
  {
    property: 'GRP-1',
    how: 'one gets a message less before the next view',
    story: () =>
      message(newStory().tell(JOINED), 'x message a2 red\nz message a2 red').tell(
        `b >2a#5-y:red
         abc <b2
         y self-leave red
         x view red 4:4 leave x+z sets=y
         z view red 4:4 leave x+z sets=y
         c >2a#6-z:red
         abc <c2`,
      ),
  },
  {
    property: 'GRP-1',
    how: 'two messages in two orders',
    story: () =>
      message(newStory().tell(JOINED), '')
        .multicast('x', 3, ['red'])
        .tell(
          `a >3a#5
         abc <a3
         x message a2 red
         x message a3 red
         y message a3 red
         y message a2 red
         z message a2 red
         z message a3 red`,
        ),
  },
  {
    property: 'GRP-1',
    how: 'one misses a view',
    story: () =>
      newStory()
        .tell(JOINED)
        .tell(
          `c >2a#4-z:red
         abc <c2
         z self-leave red
         x view red 4:4 leave x+y sets=z
         c >3a#5+z:red
         abc <c3
         x view red 4:5 join x+y+z sets=z
         y view red 4:5 join x+y+z sets=z
         z view red 4:5 join x+y+z sets=z`,
        ),
  },
  {
    property: 'GRP-2',
    how: 'a view with a member that left',
    story: () =>
      newStory()
        .tell(JOINED)
        .tell('c >2a#4-z:red\nabc <c2\nx view red 4:4 leave x+y+z sets=z\ny view red 4:4 leave x+y+z sets=z'),
  },
  {
    property: 'GRP-2',
    how: 'a view with a member of a lost daemon',
    story: () =>
      newStory()
        .tell(JOINED)
        .tell(
          'c crash\nab T5{ab}\nx transition red 4:3\ny transition red 4:3\nab R5{ab}\nx view red 5:1 network x+y+z sets=x+y+z own=0',
        ),
  },
  {
    property: 'GRP-3',
    how: 'one id, two views',
    story: () =>
      newStory()
        .tell(JOINED)
        .tell(
          `c >2a#4-z:red
         abc <c2
         z self-leave red
         x view red 4:4 leave x+y sets=z
         y view red 4:4 leave y+x sets=z`,
        ),
  },
  {
    property: 'GRP-4',
    how: 'one VS set, different messages',
    story: () => message(newStory().tell(JOINED), 'x message a2 red\nz message a2 red').tell(LOST),
  },
  {
    property: 'GRP-4',
    how: 'a receiver told of another’s set',
    story: () =>
      newStory()
        .tell(JOINED)
        .tell(
          'c crash\nab T5{ab}\nx transition red 4:3\ny transition red 4:3\nab R5{ab}\nx view red 5:1 network x+y sets=x,y own=1',
        ),
  },
  {
    property: 'GRP-4',
    how: 'a message of the new configuration before its network view',
    story: () =>
      newStory()
        .multicast('x', 2, ['red'])
        .tell(
          `a R3{a}
           c R2{c}
           a >1a#1+x:red
           a <a1
           x view red 3:1 join x sets=x
           c >1a#1+z:red
           c <c1
           z view red 2:1 join z sets=z
           a T4{a}
           c Tc{c}
           ac R4{ac}
           a >2r#1
           ac <a2
           x message a2 red
           z message a2 red
           x view red 4:1 network x+z sets=z,x own=1
           z view red 4:1 network x+z sets=z,x own=0`,
        ),
  },
  {
    property: 'GRP-5',
    how: 'a message before one’s join',
    story: () => newStory().multicast('y', 1, ['red']).tell('abc R4{abc}\nb >1a#1\nabc <b1\nx message b1 red'),
  },
  {
    property: 'GRP-5',
    how: 'a view after the self-leave',
    story: () =>
      newStory()
        .tell(JOINED)
        .tell(
          `c >2a#4-z:red
         abc <c2
         z self-leave red
         z view red 4:4 leave x+y sets=z`,
        ),
  },
  {
    property: 'GRP-5',
    how: 'a self-leave of a group one is not in',
    story: () => newStory().tell('abc R4{abc}\nx self-leave red'),
  },
  {
    property: 'GRP-6',
    how: 'no signal for a group that lost a daemon',
    story: () =>
      newStory()
        .tell(JOINED)
        .tell('c crash\nab T5{ab}\nx transition red 4:3\nab R5{ab}\nx view red 5:1 network x+y sets=x+y own=0'),
  },
  {
    property: 'GRP-6',
    how: 'a signal for a group that lost nobody',
    story: () =>
      newStory().tell(
        `abc R4{abc}
         a >1a#1+x:red
         abc <a1
         x view red 4:1 join x sets=x
         c crash
         ab T5{ab}
         x transition red 4:1
         ab R5{ab}`,
      ),
  },
  {
    property: 'GRP-6',
    how: 'a signal after a message of the transitional part',
    story: () =>
      message(newStory().tell(`${JOINED}\nc crash\nab T5{ab}`), 'x message a2 red\ny message a2 red').tell(
        'x transition red 4:3\ny transition red 4:3\nab R5{ab}',
      ),
  },
  {
    property: 'GRP-6',
    how: 'a signal though nothing changed',
    story: () => newStory().tell(`${JOINED}\nx transition red 4:3`),
  },
  {
    property: 'GRP-7',
    how: 'a copy for each group',
    story: () => message(newStory().tell(JOINED), `${ALL_GET_IT}\nx message a2 red`),
  },
  {
    property: 'GRP-8',
    how: 'an outsider’s message is not delivered',
    story: () =>
      newStory()
        .tell('abc R4{abc}\na >1a#1+x:red\nabc <a1\nx view red 4:1 join x sets=x')
        .multicast('y', 1, ['red'])
        .tell('b >1a#2\nabc <b1'),
  },
  {
    property: 'GRP-8',
    how: 'a message to one who is not a member',
    story: () =>
      newStory()
        .tell('abc R4{abc}\na >1a#1+x:red\nabc <a1\nx view red 4:1 join x sets=x')
        .multicast('y', 1, ['red'])
        .tell('b >1a#2\nabc <b1\nx message b1 red\ny message b1 red'),
  },
  {
    property: 'GRP-9',
    how: 'a message sent after the join is lost',
    story: () =>
      newStory().multicast('x', 2, ['red'], false, 'reliable').tell(`${OWN_JOIN}\nx view red 4:1 join x sets=x`),
  },
  {
    property: 'GRP-9',
    how: 'a message sent after the join comes before its view',
    story: () =>
      newStory()
        .multicast('x', 2, ['red'], false, 'reliable')
        .tell(`${OWN_JOIN}\nx message a2 red r\nx view red 4:1 join x sets=x`),
  },
  {
    property: 'GRP-9',
    how: 'a message sent after the leave comes back before the self-leave',
    story: () =>
      newStory()
        .multicast('x', 3, ['red'], false, 'unreliable')
        .tell(
          `abc R4{abc}
           a >1a#1+x:red
           abc <a1
           x view red 4:1 join x sets=x
           a >2a#2-x:red
           a >3u#3
           a <a3
           x message a3 red u
           a <a2
           x self-leave red
           bc <a2 <a3`,
        ),
  },
  {
    property: 'GRP-9',
    how: 'a message sent before the join comes back',
    story: () =>
      newStory()
        .multicast('x', 1, ['red'], false, 'reliable')
        .tell(
          `abc R4{abc}
           a >1r#1
           a >2a#2+x:red
           a <a2
           x view red 4:1 join x sets=x
           a <a1
           x message a1 red r
           bc <a1 <a2`,
        ),
  },
  {
    property: 'GRP-9',
    how: 'own messages in another order than sent',
    story: () =>
      newStory()
        .multicast('x', 2, ['red'], false, 'safe')
        .multicast('x', 3, ['red'], false, 'reliable')
        .tell(
          `abc R4{abc}
           a >1a#1+x:red
           abc <a1
           x view red 4:1 join x sets=x
           a >2s#2
           a >3r#3
           abc <a3 <a2
           x message a3 red r
           x message a2 red s`,
        ),
  },
  {
    property: 'GRP-9',
    how: 'what was sent after the join is lost with a client that wants no views',
    story: () =>
      new Story()
        .client('x', 'a', false)
        .multicast('x', 2, ['red'], false, 'reliable')
        .tell('a R4{a}\na >1a#1+x:red\na >2r#2\na <a1 <a2'),
  },
  {
    property: 'GRP-10',
    how: 'a message before the view of the join that its sender asked for earlier',
    story: () =>
      newStory()
        .multicast('x', 2, ['red'], false, 'reliable')
        .tell(
          `abc R4{abc}
           b >1a#1+y:red
           abc <b1
           y view red 4:1 join y sets=y
           a >1a#2+x:red
           a >2r#3
           b <a2
           y message a2 red r
           b <a1
           y view red 4:2 join x+y sets=x`,
        ),
  },
  {
    property: 'GRP-10',
    how: 'a message behind the view of a leave that its sender asked for later',
    story: () =>
      newStory()
        .tell(JOINED)
        .multicast('x', 2, ['red'], false, 'unreliable')
        .tell(
          `a >2u#4
           a >3a#5-x:red
           b <a3
           y view red 4:4 leave y+z sets=x
           b <a2
           y message a2 red u`,
        ),
  },
  {
    property: 'GRP-10',
    how: 'a message behind the view of its sender’s disconnect',
    story: () =>
      newStory()
        .tell(JOINED)
        .multicast('x', 2, ['red'], false, 'reliable')
        .tell(
          `a >2r#4
           a >3a#5-x
           b <a3
           y view red 4:4 disconnect y+z sets=x
           b <a2
           y message a2 red r`,
        ),
  },
  {
    property: 'GRP-10',
    how: 'two messages of one sender in another order, though their services promise none among senders',
    story: () =>
      newStory()
        .tell(JOINED)
        .multicast('x', 2, ['red'], false, 'agreed')
        .multicast('x', 3, ['red'], false, 'reliable')
        .tell(
          `a >2a#4
           a >3r#5
           b <a3 <a2
           y message a3 red r
           y message a2 red`,
        ),
  },
];

describe('the checker of GRP-1 to GRP-10', () => {
  it('accepts a good trace', () => {
    expect(check(good().trace())).toEqual([]);
  });

  it('accepts a message everybody gets and a loss with its signals', () => {
    expect(check(message(newStory().tell(JOINED), ALL_GET_IT).tell(LOST).trace())).toEqual([]);
  });

  it('accepts that a group made anew starts its ids again', () => {
    const again = newStory().tell(
      `abc R4{abc}
       a >1a#1+x:red
       abc <a1
       x view red 4:1 join x sets=x
       a >2a#2-x:red
       abc <a2
       x self-leave red
       b >1a#3+y:red
       abc <b1
       y view red 4:1 join y sets=y`,
    );
    expect(check(again.trace())).toEqual([]);
  });

  it('accepts a client that joins, sends, leaves, sends, and comes back, all at once', () => {
    const breath = newStory()
      .multicast('x', 1, ['red'], false, 'reliable')
      .multicast('x', 3, ['red'], false, 'reliable')
      .multicast('x', 5, ['red'], false, 'unreliable')
      .multicast('x', 7, ['red'], false, 'safe')
      .multicast('y', 2, ['red'], false, 'reliable')
      .tell(
        `abc R4{abc}
         b >1a#1+y:red
         abc <b1
         y view red 4:1 join y sets=y
         a >1r#2
         a >2a#3+x:red
         a >3r#4
         a >4a#5-x:red
         a >5u#6
         a >6a#7+x:red
         a >7s#8
         b >2r#9
         abc <b2
         y message b2 red r
         abc <a1
         y message a1 red r
         abc <a2
         x view red 4:2 join x+y sets=x
         y view red 4:2 join x+y sets=x
         abc <a3
         x message a3 red r
         y message a3 red r
         abc <a4
         x self-leave red
         y view red 4:3 leave y sets=x
         abc <a5
         y message a5 red u
         abc <a6
         x view red 4:4 join x+y sets=x
         y view red 4:4 join x+y sets=x
         abc <a7
         x message a7 red s
         y message a7 red s`,
      );
    expect(check(breath.trace())).toEqual([]);
  });

  it('accepts two VS sets after a merge, and a client that discards its own messages', () => {
    const merge = newStory()
      .multicast('x', 2, ['red'], true)
      .tell(
        `ab R3{ab}
         c R2{c}
         a >1a#1+x:red
         ab <a1
         x view red 3:1 join x sets=x
         a >2a#2
         ab <a2
         c >1a#1+z:red
         c <c1
         z view red 2:1 join z sets=z
         ab T4{ab}
         c Tc{c}
         abc R4{abc}
         x view red 4:1 network x+z sets=z,x own=1
         z view red 4:1 network x+z sets=z,x own=0`,
      );
    expect(check(merge.trace())).toEqual([]);
  });

  it('accepts that a daemon is lost before it was known, though others left meanwhile', () => {
    const unknown = newStory().tell(
      `ab R3{ab}
       c R2{c}
       a >1a#1+x:red
       ab <a1
       x view red 3:1 join x sets=x
       c >1a#1+z:red
       c <c1
       z view red 2:1 join z sets=z
       ab T4{ab}
       c Tc{c}
       abc R4{abc}
       b stop
       ac T5{ac}
       ac R5{ac}
       c crash
       a T6{a}
       a R6{a}`,
    );
    expect(check(unknown.trace())).toEqual([]);
  });

  it.each(BROKEN)('rejects by $property: $how', ({ property, story }) => {
    expect(check(story().trace()).map((violation) => violation.property)).toContain(property);
  });

  it('has a broken trace for each property', () => {
    expect(new Set(BROKEN.map((broken) => broken.property))).toEqual(new Set(GROUP_PROPERTIES.map((p) => p.name)));
  });

  it('knows GRP-1 to GRP-10', () => {
    expect(GROUP_PROPERTIES.map((p) => p.name)).toEqual(Array.from({ length: 10 }, (_, i) => `GRP-${i + 1}`));
  });
});
