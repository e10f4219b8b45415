/** Traces that break one GRP property each. The checker must reject them. */
import { ALL_GET_IT, JOINED, LOST, message, newStory } from './group-stories.ts';
import { Story } from './story.ts';

/** x joins and sends in the same breath. */
const OWN_JOIN = `
  abc R4{abc}
  a >1a#1+x:red
  a >2r#2
  abc <a1 <a2
`;

export const BROKEN_GROUP_STORIES: readonly { property: string; how: string; story: () => Story }[] = [
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
