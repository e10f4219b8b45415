/** Tests of the checker itself: every GRP property accepts a good trace and rejects one that breaks it. */
import { describe, expect, it } from 'vitest';
import { check, GROUP_PROPERTIES } from './checker/check.ts';
import { BROKEN_GROUP_STORIES } from './trace/broken-group-stories.ts';
import { ALL_GET_IT, JOINED, LOST, message, newStory } from './trace/group-stories.ts';

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

  it.each(BROKEN_GROUP_STORIES)('rejects by $property: $how', ({ property, story }) => {
    expect(check(story().trace()).map((violation) => violation.property)).toContain(property);
  });

  it('has a broken trace for each property', () => {
    expect(new Set(BROKEN_GROUP_STORIES.map((broken) => broken.property))).toEqual(
      new Set(GROUP_PROPERTIES.map((p) => p.name)),
    );
  });

  it('knows GRP-1 to GRP-10', () => {
    expect(GROUP_PROPERTIES.map((p) => p.name)).toEqual(Array.from({ length: 10 }, (_, i) => `GRP-${i + 1}`));
  });
});
