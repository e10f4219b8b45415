import { describe, expect, it } from 'vitest';
import { ConfigError, formatConfigError, showValue } from '../../engine/config/config-error.ts';
import { parseConfig } from '../../engine/config/parse-config.ts';
import type { ConfigItem } from '../../engine/config/syntax-tree.ts';

const parse = (text: string): readonly ConfigItem[] => parseConfig(text, 'test.conf').items;

/** Structure without positions, one line per item. */
function outline(items: readonly ConfigItem[]): string[] {
  return items.map((item) => {
    switch (item.kind) {
      case 'segment': {
        const hosts = item.hosts.map(({ name, address, interfaces }) => {
          const block = interfaces?.map((entry) => [...entry.uses, entry.address].map((word) => word.text).join(' '));
          return `${name.text} ${address?.text ?? '-'}${block === undefined ? '' : ` {${block.join(', ')}}`}`;
        });
        return `segment ${item.address.text}: ${hosts.join('; ')}`;
      }
      case 'routeMatrix':
        return `matrix ${item.rows.map((row) => row.map((cost) => cost.text).join(' ')).join('; ')}`;
      case 'option': {
        if (item.value === null) return item.name.text;
        if (item.value.kind === 'word') return `${item.name.text}=${item.value.word.text}`;
        return `${item.name.text}={${item.value.words.map((word) => word.text).join(' ')}}`;
      }
      default:
        return item satisfies never;
    }
  });
}

function refusal(text: string): ConfigError {
  try {
    parse(text);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('the text was accepted');
}

describe('grammar', () => {
  it('reads segments, hosts and interface blocks', () => {
    const text = `
      Spread_Segment 127.0.0.255:4803 {
        d1 127.0.0.1 { C 127.0.0.1 D M 127.0.0.2:99 127.0.0.3 }
        d2
      }
      Spread_Segment 127.0.1.255 { }`;
    expect(outline(parse(text))).toEqual([
      'segment 127.0.0.255:4803: d1 127.0.0.1 {C 127.0.0.1, D M 127.0.0.2:99, 127.0.0.3}; d2 -',
      'segment 127.0.1.255: ',
    ]);
  });

  it('reads options with a value, with a list and without a value', () => {
    expect(outline(parse('EventTimeStamp Window = 5\nDebugFlags = { ALL !EXIT ! ACM }'))).toEqual([
      'EventTimeStamp',
      'Window=5',
      'DebugFlags={ALL !EXIT !ACM}',
    ]);
  });

  it('reads the cost matrix row by row', () => {
    expect(outline(parse('RouteMatrix { 0 1 # to the second\n 1\t0 }'))).toEqual(['matrix 0 1; 1 0']);
  });

  it('accepts comments anywhere, even right after a word', () => {
    expect(outline(parse('#\nWindow#a\n=#b\n5#c\n#'))).toEqual(['Window=5']);
  });

  it('reads strings in both quotes, with characters that would end a bare word', () => {
    expect(outline(parse(`RuntimeDir = "a # { b" DaemonUser='x "y" z'`))).toEqual([
      'RuntimeDir=a # { b',
      'DaemonUser=x "y" z',
    ]);
  });

  it('accepts an empty file', () => {
    expect(parse(' # nothing\n')).toEqual([]);
  });

  it('keeps the position of every word, quotes included', () => {
    expect(parse('\n  RuntimeDir = "abc"')).toMatchObject([
      {
        name: { line: 2, column: 3, lengthChars: 10 },
        value: { word: { line: 2, column: 16, lengthChars: 5, quoted: true } },
      },
    ]);
  });

  it('skips a byte order mark without counting it', () => {
    expect(parse('\uFEFFWindow = 5')).toMatchObject([{ name: { line: 1, column: 1 } }]);
  });
});

describe('traps of the original lexer', () => {
  it.each([
    [
      'no blanks around "="',
      'MaxSessionMessages=50 Window= 5 PersonalWindow =6',
      ['MaxSessionMessages=50', 'Window=5', 'PersonalWindow=6'],
    ],
    ['blanks behind a number', 'Window = 50 \t \nPersonalWindow = 6', ['Window=50', 'PersonalWindow=6']],
    ['a comment behind a number', 'Window = 50 # packets', ['Window=50']],
    ['more than six digits', 'LookupTimeout = 12345678', ['LookupTimeout=12345678']],
    ['"=" inside a bare value', 'EventLogFile = a=b', ['EventLogFile=a=b']],
    ['a keyword as a value', 'DaemonUser = INFO', ['DaemonUser=INFO']],
  ])('%s', (_, text, expected) => {
    expect(outline(parse(text))).toEqual(expected);
  });

  it.each(['C', 'D', 'M', 'INFO', 'on', 'auto', 'ALL', 'Window', 'true', 'PERMIT', "'C'", '"RouteMatrix"', '"4803"'])(
    'a daemon called %s',
    (name) => {
      const bare = name.replace(/["']/g, '');
      const text = `Spread_Segment 127.0.0.255 { ${name} 127.0.0.1 { C 127.0.0.1 } ${name === 'M' ? 'D' : 'M'} 127.0.0.2 }`;
      expect(outline(parse(text))[0]).toContain(`: ${bare} 127.0.0.1 {C 127.0.0.1}; `);
    },
  );
});

describe('syntax errors', () => {
  it.each([
    ['Window 50', '1:8: expected "=", "RouteMatrix", "Spread_Segment", an option or end of file; found "50"'],
    ['Window =\nPersonalWindow = 5', '2:1: expected "{" or a value; found "PersonalWindow"'],
    ['Window =', '1:9: expected "{" or a value; found end of file'],
    ['}', '1:1: expected "RouteMatrix", "Spread_Segment", an option or end of file; found "}" (no "{" is open here)'],
    ['Spread_Segment {', '1:16: expected an IPv4 address; found "{"'],
    ['Spread_Segment 1.2.3.4 4803 {', '1:24: expected "{" or an IPv4 address; found "4803"'],
    ['Spread_Segment 1.2.3.4 { d1 {} }', '1:30: expected "C", "D" or "M" or an IPv4 address; found "}"'],
    [
      'Spread_Segment 1.2.3.4 { d1',
      '1:28: expected "{", "}", a daemon name or an IPv4 address; found end of file (the "{" of line 1 is not closed)',
    ],
    ['Spread_Segment 1.2.3.4 { 12 }', '(a name of digits only must be quoted)'],
    [
      'Spread_Segment 1.2.3.4 { d1 1.2.3.5\nWindow=5',
      '2:1: expected "{", "}", a daemon name or an IPv4 address; found "Window=5" (the "{" of line 1 is not closed)',
    ],
    ['Spread_segment 1.2.3.4 {}', '(did you mean "Spread_Segment" instead of "Spread_segment"?)'],
    ['RuntimeDir = "abc\nWindow = 5', '1:14: the string has no closing quote on its line'],
    ['RuntimeDir = "abc"def', '1:14: a blank is missing after the closing quote'],
    ['RouteMatrix { 0 x }', '1:17: expected "}" or a cost from 0 to 100; found "x"'],
  ])('%j', (text, message) => {
    const { problems, message: whole } = refusal(text);
    expect(problems).toHaveLength(1);
    expect(whole).toMatch(/^test\.conf:\d+:\d+: /);
    expect(whole).toContain(message);
  });

  it.each([
    ['a segment, at the end', 'Spread_Segment 1.2.3.4 {\n d1 1.2.3.5\n', 'the "{" of line 1 is not closed'],
    [
      'a segment before another',
      '# {\nSpread_Segment 1.2.3.4 {\n "d{" 1.2.3.5\nSpread_Segment 1.2.3.6 {\n d2 1.2.3.7 }\n',
      'the "{" of line 2 is not closed',
    ],
    [
      'a segment before an option',
      'Spread_Segment 1.2.3.4 {\n d1 1.2.3.5 { C 1.2.3.6 }\n\nWindow = 5\n',
      'the "{" of line 1 is not closed',
    ],
    [
      'interfaces before a daemon',
      'Spread_Segment 1.2.3.4 {\n d1 1.2.3.5 {\n C 1.2.3.6\n d2 1.2.3.7\n}\n',
      'is the "{" of line 2 closed?',
    ],
    [
      'interfaces, so that their closing brace seems to be that of the segment',
      'Spread_Segment 1.2.3.4 {\n d1 1.2.3.5 {\n C 1.2.3.6\n}\nWindow = 5\n',
      'the "{" of line 1 is not closed',
    ],
    ['flags, at the end', '\nDebugFlags = {\n PRINT\nWindow = 5\n', 'the "{" of line 2 is not closed'],
    [
      'flags before a segment',
      'DebugFlags = { PRINT\nSpread_Segment 1.2.3.4 {\n d1 1.2.3.5 }\n',
      'the "{" of line 1 is not closed',
    ],
    ['costs, at the end', 'RouteMatrix {\n 0 1\n', 'the "{" of line 1 is not closed'],
    ['costs before an option', 'RouteMatrix {\n 0 1\nWindow = 5', 'the "{" of line 1 is not closed'],
    ['costs before a segment', 'RouteMatrix {\n0\nSpread_Segment 1.2.3.4 {}', 'the "{" of line 1 is not closed'],
    ['nothing, with one too many', 'Spread_Segment 1.2.3.4 {\n d1 1.2.3.5 }\n}\n', 'no "{" is open here'],
  ])('name the brace that is open: of %s', (_, text, why) => {
    expect(refusal(text).message).toContain(`(${why})`);
  });

  it('carry position, token and expectation as data', () => {
    expect(refusal('Spread_Segment\n oops {').problems).toEqual([
      {
        line: 2,
        column: 2,
        lengthChars: 4,
        message: 'expected an IPv4 address; found "oops"',
        value: 'oops',
        limit: 'an IPv4 address',
      },
    ]);
  });

  it('are shown with the line and a caret in the right column despite tabs', () => {
    expect(formatConfigError(refusal('# first\n\tSpread_Segment oops {\r\n'))).toBe(
      [
        'test.conf:2:17: expected an IPv4 address; found "oops"',
        '   2 | \tSpread_Segment oops {',
        '     | \t               ^^^^',
      ].join('\n'),
    );
  });

  it('shorten long lines and remove control characters', () => {
    const report = formatConfigError(refusal(`${'x '.repeat(500)}\u001b[31m=`));
    expect(report).not.toContain('\u001b');
    for (const line of report.split('\n').slice(1)) expect(line.length).toBeLessThan(120);
  });
});

describe('showing problems', () => {
  it('stops after the first twenty', () => {
    const problems = Array.from({ length: 23 }, (_, i) => ({ message: `problem ${i}` }));
    const error = new ConfigError(problems, null);
    for (const text of [error.message, formatConfigError(error)]) {
      expect(text.split('\n')).toHaveLength(21);
      expect(text).toMatch(/problem 19\nand 3 more problems$/);
    }
    expect(error.problems).toHaveLength(23);
  });

  it.each([
    ['a\u001b\u009b\n', '"a\\u001b\\u009b\\n"'],
    ['x'.repeat(100), `"${'x'.repeat(59)}…`],
    [{ a: 1n }, '(a value that cannot be shown)'],
    [Object.create(null), '{}'],
    [5n, '5'],
    [null, 'null'],
  ])('writes values so that they fit a line', (value, expected) => {
    expect(showValue(value)).toBe(expected);
  });
});
