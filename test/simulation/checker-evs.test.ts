/** Tests of the checker itself: every EVS property accepts a good trace and rejects one that breaks it. */
import { describe, expect, it } from 'vitest';
import { check, EVS_PROPERTIES } from './checker/check.ts';
import { Story, type StoryFacts } from './trace/story.ts';

/** Three nodes meet, talk, lose c, and go on. Every property holds. */
const GOOD = `
  a R1{a}
  b R2{b}
  c R3{c}
  a Tx1{a}
  b Tx2{b}
  c Tx3{c}
  abc R4{abc}
  a >1a#1
  abc <a1
  b >1s#2
  a >2f#3
  c >1r#4
  abc <c1
  abc <b1 <a2
  c >2a#5
  c crash
  b >2s#6
  a >3a#7
  ab T5{ab}
  ab <b2 <a3
  ab R5{ab}
  a >4a#1
  ab <a4
  ab gauge=3/40
`;

const START = `
  abc R4{abc}
`;

interface Broken {
  readonly property: string;
  readonly how: string;
  readonly story: string;
  readonly facts?: StoryFacts;
}

const crashOfC: StoryFacts = {
  disruptions: [{ kind: 'crash', fromMs: 300, untilMs: 300, process: 2 }],
  faultsEndedAtMs: 300,
};

const BROKEN: readonly Broken[] = [
  { property: 'EVS-1', how: 'a configuration without oneself', story: 'ab R4{ab}\nc R4{ab}' },
  { property: 'EVS-2', how: 'two regular ones in a row', story: `${START}abc R5{abc}` },
  { property: 'EVS-2', how: 'a transitional one first', story: 'ab T4{ab}\nab R4{ab}' },
  { property: 'EVS-2', how: 'a delivery before any configuration', story: 'a R1{a}\na >1a#1\nb <a1\nb R2{b}' },
  { property: 'EVS-3', how: 'one id with two member lists', story: 'a R4{ab}\nb R4{abc}\nc R4{abc}' },
  { property: 'EVS-3', how: 'an id used again by a restarted leader', story: 'a R4{a}\na crash\nA R4{A}' },
  { property: 'EVS-3', how: 'one id installed twice', story: 'a R4{a}\na Tx{a}\na R4{a}' },
  { property: 'EVS-4', how: 'a lower ring sequence', story: `${START}abc T3{abc}\nabc R3{abc}` },
  { property: 'EVS-4', how: 'a lower one after a restart', story: 'a R9{a}\na crash\nA R8{A}' },
  { property: 'EVS-5', how: 'T leaves out one who moved along', story: `${START}ab T5{ab}\nc T5{c}\nabc R5{abc}` },
  {
    property: 'EVS-5',
    how: 'T holds one who came another way',
    story: 'ab R4{abc}\nc R3{c}\nab T5{abc}\nc Tc{c}\nabc R5{abc}',
  },
  { property: 'EVS-5', how: 'two T for one step', story: `${START}ab Tp{abc}\nc Tq{abc}\nabc R5{abc}` },
  { property: 'EVS-6', how: 'two rings at the end', story: 'ab R4{ab}\nc R5{c}' },
  { property: 'EVS-6', how: 'a dead member at the end', story: `${START}c crash` },
  {
    property: 'EVS-6',
    how: 'too late',
    story: 'ab R3{ab}\nc R2{c}\n900ms\nab Tx{ab}\nc Ty{c}\nabc R4{abc}',
    facts: { faultsEndedAtMs: 10 },
  },
  {
    property: 'EVS-7',
    how: 'a change without a cause',
    story: `${START}90ms\nabc T5{abc}\nabc R5{abc}`,
    facts: { faultsEndedAtMs: 10 },
  },
  {
    property: 'EVS-7',
    how: 'a change long after the faults',
    story: `a R1{a}\nb R2{b}\n900ms\na Tx{a}\nb Ty{b}\nab R4{ab}`,
    facts: { faultsEndedAtMs: 10 },
  },
  {
    property: 'EVS-8',
    how: 'a crash that is not noticed',
    story: `${START}300ms\nc crash\n400ms\nab T5{ab}\nab R5{ab}`,
    facts: crashOfC,
  },
  {
    property: 'EVS-8',
    how: 'a cut that is not noticed',
    story: `${START}300ms\nab gauge=1/9\n400ms\nab gauge=1/9`,
    facts: {
      disruptions: [{ kind: 'partition', fromMs: 300, untilMs: 500, component: [0, 0, 1] }],
      faultsEndedAtMs: 500,
    },
  },
  { property: 'EVS-9', how: 'never sent', story: `${START}abc <a7` },
  { property: 'EVS-9', how: 'other content', story: `${START}a >1a#1\nab <a1\nc <a1!` },
  { property: 'EVS-9', how: 'another origin', story: `${START}a >1a#1\nab <a1\nc <a1=b` },
  { property: 'EVS-9', how: 'twice', story: `${START}a >1a#1\nab <a1\nc <a1 <a1` },
  { property: 'EVS-9', how: 'before it was sent', story: `${START}c <a1\na >1a#1\nab <a1` },
  {
    property: 'EVS-10',
    how: 'in a later configuration',
    story: `${START}a >1a#1\na <a1\nabc T5{abc}\nabc R5{abc}\nbc <a1`,
  },
  { property: 'EVS-11', how: 'without one’s own message', story: `${START}a >1a#1\nbc <a1\nabc T5{abc}\nabc R5{abc}` },
  { property: 'EVS-12', how: 'different sets', story: `${START}a >1a#1\nab <a1\nabc T5{abc}\nabc R5{abc}` },
  {
    property: 'EVS-12',
    how: 'one in the regular, one in the transitional half',
    story: `${START}a >1a#1\nab <a1\nabc T5{abc}\nc <a1\nabc R5{abc}`,
  },
  {
    property: 'EVS-13',
    how: 'a member of T goes elsewhere without it',
    story: `${START}a >1a#1\na T5{abc}\na <a1\na R5{abc}\nbc T6{bc}\nbc R6{bc}`,
  },
  { property: 'EVS-14', how: 'out of order', story: `${START}a >1f#1 >2f#2\nab <a1 <a2\nc <a2 <a1` },
  { property: 'EVS-14', how: 'a gap', story: `${START}a >1f#1 >2f#2\nab <a1 <a2\nc <a2` },
  {
    property: 'EVS-15',
    how: 'the answer before the question',
    story: `${START}a >1a#1\nab <a1\nb >1a#2\nab <b1\nc <b1 <a1`,
  },
  {
    property: 'EVS-15',
    how: 'the answer without the question, in T',
    story: `${START}a >1a#1\nab <a1\nb >1a#2\nab <b1\nabc T5{abc}\nc <b1\nabc R5{abc}`,
  },
  { property: 'EVS-16', how: 'two orders', story: `${START}a >1a#1\nb >1a#2\nab <a1 <b1\nc <b1 <a1` },
  {
    property: 'EVS-16',
    how: 'messages and configurations in two orders',
    story: `${START}a >1a#1\na <a1\nabc T5{abc}\nbc <a1\nabc R5{abc}`,
  },
  { property: 'EVS-17', how: 'a gap in ring order', story: `${START}a >1a#1\nb >1a#2\nab <a1 <b1\nc <b1` },
  {
    property: 'EVS-17',
    how: 'a member’s message skipped in T',
    story: `${START}a >1a#1\nb >1a#2\nabc T5{abc}\nab <a1 <b1\nc <b1\nabc R5{abc}`,
  },
  { property: 'EVS-18', how: 'safe at one only', story: `${START}a >1s#1\na <a1\nabc T5{abc}\nabc R5{abc}` },
  {
    property: 'EVS-18',
    how: 'safe in a regular configuration that another left without it',
    story: `${START}a >1s#1\nab <a1\nab T5{ab}\nc T6{c}\nab R5{ab}\nc R6{c}`,
  },
  { property: 'EVS-19', how: 'past an undelivered safe one', story: `${START}a >1s#1\nb >1a#2\nab <a1 <b1\nc <b1 <a1` },
  { property: 'EVS-20', how: 'reliable at one only', story: `${START}a >1r#1\nab <a1\nabc T5{abc}\nabc R5{abc}` },
  { property: 'EVS-20', how: 'reliable twice', story: `${START}a >1r#1\nab <a1\nc <a1 <a1` },
  { property: 'EVS-21', how: 'never delivered', story: `${START}a >1a#1\nab <a1` },
  { property: 'EVS-22', how: 'too many packets', story: `${START}a gauge=41/40` },
  {
    property: 'EVS-24',
    how: 'a reliable one past an agreed one of the same session',
    story: `${START}a >1a#1%7\na >2r#2%7\nab <a1 <a2\nc <a2 <a1`,
  },
  {
    property: 'EVS-24',
    how: 'an unreliable one past a safe one, at its own daemon',
    story: `${START}a >1s#1%7\na >2u#2%7\na <a2 <a1\nbc <a1 <a2`,
  },
  {
    property: 'EVS-24',
    how: 'two reliable ones, with another session in between',
    story: `${START}a >1r#1%7\na >2r#2%8\na >3r#3%7\nab <a1 <a2 <a3\nc <a3 <a2 <a1`,
  },
  {
    property: 'EVS-24',
    how: 'in the transitional part',
    story: `${START}a >1r#1%7\na >2r#2%7\na <a1 <a2\nabc T5{abc}\nbc <a2 <a1\nabc R5{abc}`,
  },
  { property: 'EVS-23', how: 'an exception', story: `${START}a failure` },
];

describe('the checker of EVS-1 to EVS-24', () => {
  it('accepts a good trace', () => {
    expect(check(new Story().tell(GOOD).trace())).toEqual([]);
  });

  it.each(BROKEN)('rejects by $property: $how', ({ property, story, facts }) => {
    const found = check(new Story().tell(story).trace(facts)).map((violation) => violation.property);
    expect(found).toContain(property);
  });

  it('has a broken trace for each property', () => {
    expect(new Set(BROKEN.map((broken) => broken.property))).toEqual(new Set(EVS_PROPERTIES.map((p) => p.name)));
  });

  it('knows EVS-1 to EVS-24', () => {
    expect(EVS_PROPERTIES.map((p) => p.name)).toEqual(Array.from({ length: 24 }, (_, i) => `EVS-${i + 1}`));
  });
});

describe('what is allowed', () => {
  const accepted: readonly { what: string; story: string; facts?: StoryFacts }[] = [
    {
      what: 'a crashed sender takes its messages along',
      story: `${START}c >1a#1\nc crash\na >1a#2\nab T5{ab}\nab <a1\nab R5{ab}`,
    },
    { what: 'unreliable messages may be lost', story: `${START}a >1u#1\na <a1` },
    { what: 'reliable ones may come early at some', story: `${START}a >1r#2\nb <a1\nabc T5{abc}\nac <a1\nabc R5{abc}` },
    {
      what: 'after a hole, messages from outside T are thrown away',
      story: `${START}c >1a#1\nb >1a#2\nc >2a#3\nc crash\nab T5{ab}\nab <b1\nab R5{ab}`,
    },
    {
      what: 'a member of T may lose the token and go elsewhere, with what it owes',
      story: `${START}a >1a#1\na T5{abc}\na <a1\na R5{abc}\nbc T6{bc}\nbc <a1\nbc R6{bc}\na Tr{a}\nbc Ts{bc}\nabc R7{abc}`,
    },
    {
      what: 'a reliable one may overtake other sessions of its daemon, and other daemons',
      story: `${START}a >1s#1%7\nb >1a#2%7\na >2r#3%8\nb >2u#4%8\nc <b2 <a2 <a1 <b1\nab <a2 <a1 <b1 <b2`,
    },
    {
      what: 'of a session some may be lost at a membership change, and what follows be delivered',
      story: `${START}c >1a#1%7\nc >2r#2%7\nc crash\nab T5{ab}\nab <c2\nab R5{ab}`,
    },
    {
      what: 'a crash noticed in time',
      story: `${START}300ms\nc crash\n340ms\nab T5{ab}\nab R5{ab}\n400ms`,
      facts: crashOfC,
    },
  ];
  it.each(accepted)('$what', ({ story, facts }) => {
    expect(check(new Story().tell(story).trace(facts))).toEqual([]);
  });
});
