/** The access file: the forms of a line, and the error for every mistake. */
import { describe, expect, it } from 'vitest';
import {
  MAX_ACCESS_LINES,
  MAX_ACCESS_PATTERNS,
  MAX_SUBJECT_CHARS,
  parseAccessFile,
} from '../../engine/access/access-file.ts';
import { ACCESS_RIGHTS, type AccessLine, type AccessSubject, verdict } from '../../engine/access/access-rules.ts';
import { ConfigError } from '../../engine/config/config-error.ts';

const only = (text: string): AccessLine => {
  const { lines } = parseAccessFile(text, 'rules').rules;
  expect(lines).toHaveLength(1);
  return lines[0]!;
};

const problemsOf = (text: string) => {
  try {
    parseAccessFile(text, 'rules');
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as ConfigError).problems;
  }
  throw new Error('the file was accepted');
};

const NOBODY: AccessSubject = { user: null, certificate: null, address: null, isUnix: false };

describe('a line', () => {
  it('gives several rights to one user', () => {
    expect(only('user alice  join web.* news  send web.*  private')).toEqual({
      line: 1,
      text: 'user alice  join web.* news  send web.*  private',
      who: { user: 'alice', certificate: null, address: null, isUnix: false },
      grants: { join: ['web.*', 'news'], send: ['web.*'], private: ['#*'], admin: [] },
    });
  });

  it.each([
    ['user *', { user: '*' }],
    ['user "Alice Smith"', { user: 'Alice Smith' }],
    ['user join', { user: 'join' }],
    ['user "#x"', { user: '#x' }],
    ['certificate *.example.org', { certificate: '*.example.org' }],
    ['certificate Zoë', { certificate: 'Zoë' }],
    ['address 10.1.2.3', { address: { network: [0x0a01, 0x0203], prefixBits: 32 } }],
    ['address 10.0.0.0/8', { address: { network: [0x0a00, 0], prefixBits: 8 } }],
    ['address 0.0.0.0/0', { address: { network: [0, 0], prefixBits: 0 } }],
    ['address ::ffff:10.0.0.0/104', { address: { network: [0x0a00, 0], prefixBits: 8 } }],
    ['address ::1', { address: { network: [0, 0, 0, 0, 0, 0, 0, 1], prefixBits: 128 } }],
    ['address fd00::/8', { address: { network: [0xfd00, 0, 0, 0, 0, 0, 0, 0], prefixBits: 8 } }],
    ['address 2001:DB8:0:1::/64', { address: { network: [0x2001, 0xdb8, 0, 1, 0, 0, 0, 0], prefixBits: 64 } }],
    ['unix', { isUnix: true }],
    ['anyone', {}],
    ['user alice unix', { user: 'alice', isUnix: true }],
    [
      'certificate c address ::/0 user u',
      { user: 'u', certificate: 'c', address: { network: [0, 0, 0, 0, 0, 0, 0, 0], prefixBits: 0 } },
    ],
  ])('is for %s', (who, expected) => {
    expect(only(`${who} join news`).who).toEqual({
      ...{ user: null, certificate: null, address: null, isUnix: false },
      ...expected,
    });
  });

  it.each([
    ['join a', { join: ['a'] }],
    ['join *', { join: ['*'] }],
    ['join a b join c', { join: ['a', 'b', 'c'] }],
    ['join "sned" sender coins', { join: ['sned', 'sender', 'coins'] }],
    ['join "a," b,c', { join: ['a,', 'b,c'] }],
    ['join "send" "unix" "private"', { join: ['send', 'unix', 'private'] }],
    [`send ${'g'.repeat(31)}*`, { send: [`${'g'.repeat(31)}*`] }],
    ['send *a*b*', { send: ['*a*b*'] }],
    ['send $~', { send: ['$~'] }],
    ['private', { private: ['#*'] }],
    ['private *', { private: ['#*'] }],
    ['private alice', { private: ['#alice#*'] }],
    ['private alice#d1', { private: ['#alice#d1'] }],
    ['private #alice#d1 bob*', { private: ['#alice#d1', '#bob*#*'] }],
    ['private *#d*', { private: ['#*#d*'] }],
    ['admin', { admin: ['*'] }],
    ['admin web.*', { admin: ['web.*'] }],
    ['private admin send x', { private: ['#*'], admin: ['*'], send: ['x'] }],
  ])('gives %s', (rights, expected) => {
    expect(only(`anyone ${rights}`).grants).toEqual({ join: [], send: [], private: [], admin: [], ...expected });
  });

  it('may end with a comment, so "private #" grants private messages to everybody', () => {
    expect(only('anyone private #').grants.private).toEqual(['#*']);
  });

  it.each([['# nothing'], ['#anyone join a'], ['   #anyone join a'], ['\t'], ['#']])(
    'may be a comment or empty: %j',
    (text) => {
      expect(parseAccessFile(`${text}\nanyone join b`, 'rules').rules.lines.map(({ line }) => line)).toEqual([2]);
    },
  );

  it.each([
    ['anyone join a # the rest', ['a']],
    ['anyone join a #', ['a']],
    ['anyone\tjoin  a\tb\r', ['a', 'b']],
  ])('may have a comment behind it and any blanks: %j', (text, groups) => {
    expect(only(text).grants.join).toEqual(groups);
  });

  it('adds to the lines before it', () => {
    const { rules } = parseAccessFile('anyone join a\nanyone join b', 'rules');
    expect(['a', 'b', 'c'].map((group) => verdict(rules, NOBODY, 'join', group).line?.line)).toEqual([1, 2, undefined]);
  });
});

describe('a mistake', () => {
  it.each<readonly [string, number, RegExp]>([
    ['alice join a', 1, /^start of the line is "alice"; it must be one of user, certificate, address, unix, anyone$/],
    ['usr alice join a', 1, /did you mean "user"\?/],
    ['join a', 1, /^start of the line is "join"/],
    ['User alice join a', 1, /did you mean "user"\?/],
    ['user', 1, /^user needs a value behind it$/],
    ['user alice', 6, /^the line gives no right: add join, send, private, admin$/],
    ['user alice joi a', 12, /^right is "joi"; it must be one of join, send, private, admin; did you mean "join"\?$/],
    ['user join news', 11, /^right is "news"/],
    ['user a user b join c', 8, /^user stands twice/],
    ['unix unix join c', 6, /^unix stands twice/],
    ['anyone user a join b', 1, /^anyone stands alone/],
    ['unix address ::1 join b', 1, /^no client has both/],
    ['user a** join b', 6, /^user is "a\*\*"; it must be 1 to 255 characters/],
    ['user "" join b', 6, /^user is ""/],
    [`user ${'u'.repeat(MAX_SUBJECT_CHARS + 1)} join b`, 6, /1 to 255 characters/],
    ['user \u0007 join b', 6, /without control characters/],
    ['certificate a** join b', 13, /^certificate is/],
    ['certificate x\ufffdy join b', 13, /^certificate is/],
    ['address 10.0.0 join b', 9, /^address is "10\.0\.0"; it must be an IP address or a range, such as 10\.1\.2\.3/],
    ['address 10.0.0.256 join b', 9, /^address is/],
    ['address localhost join b', 9, /^address is/],
    ['address 10.0.0.0/33 join b', 9, /a prefix within the 32 bits/],
    ['address ::/129 join b', 9, /a prefix within the 128 bits/],
    ['address ::ffff:10.0.0.0/95 join b', 9, /a prefix within the 128 bits/],
    ['address 1::2::3 join b', 9, /^address is/],
    ['address 1:2:3:4:5:6:7:8:9 join b', 9, /^address is/],
    ['address 1:2:3:4:5:6:7::8 join b', 9, /^address is/],
    ['address 10.1.0.0/8 join b', 9, /has bits set behind its prefix; is 10\.0\.0\.0\/8 meant\?/],
    ['address fd01::/8 join b', 9, /is fd00:0:0:0:0:0:0:0\/8 meant\?/],
    ['anyone join', 8, /^join needs the groups behind it, separated by blanks; \* is all of them$/],
    ['anyone join send a', 8, /^join needs the groups/],
    ['anyone send', 8, /^send needs the groups/],
    ['user alice join web.* sned news', 23, /^sned: is the right send meant\? A name so near to it stands in quotes$/],
    ['anyone send a privat', 15, /is the right private meant/],
    ['anyone private Send', 16, /is the right send meant/],
    ['anyone join a, b', 13, /^blanks separate names/],
    ['anyone join a**', 13, /no "\*\*"/],
    ['anyone join #a', 13, /^name behind join is "#a"/],
    ['anyone join a#b', 13, /1 to 31 characters from "\$" to "~" beside its \*/],
    ['anyone join caf\u00e9', 13, /^name behind join/],
    ['anyone join "a b"', 13, /^name behind join is "a b"/],
    ['anyone join ""', 13, /^name behind join is ""/],
    [`anyone join ${'g'.repeat(32)}`, 13, /1 to 31 characters/],
    [`anyone send *${'g'.repeat(32)}`, 13, /1 to 31 characters/],
    ['anyone admin #a', 14, /^name behind admin/],
    ['anyone private a#b#c', 16, /^name behind private is "a#b#c"; it must be name, name#daemon or #name#daemon/],
    ['anyone private a#', 16, /^name behind private/],
    ['anyone private elevenchars', 16, /up to 10 and 19 characters/],
    [`anyone private a#${'d'.repeat(20)}`, 16, /up to 10 and 19 characters/],
    ['anyone join a user bob', 15, /^user belongs before the rights; a group of that name stands in quotes$/],
    ['user "alice join a', 6, /^a quoted word has no end/],
    ['user "alice"x join a', 6, /^a quoted word has no end/],
  ])('%j', (text, column, message) => {
    const problems = problemsOf(`# first\n${text}\n`);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatchObject({ line: 2, column });
    expect(problems[0]!.message).toMatch(message);
  });

  it('does not hide the next one, and each has its line and column', () => {
    const error = (() => {
      try {
        return parseAccessFile('anyone join\nanyone join a\nx y\n', 'rules.txt');
      } catch (caught) {
        return caught as Error;
      }
    })();
    expect((error as Error).message.split('\n').map((line) => line.split(': ')[0])).toEqual([
      'rules.txt:1:8',
      'rules.txt:3:1',
    ]);
  });

  it('is one line too many', () => {
    const line = 'anyone join a\n';
    expect(parseAccessFile(line.repeat(MAX_ACCESS_LINES), 'rules').rules.lines).toHaveLength(MAX_ACCESS_LINES);
    const problems = problemsOf(line.repeat(MAX_ACCESS_LINES + 5));
    expect(problems).toEqual([
      expect.objectContaining({
        line: MAX_ACCESS_LINES + 1,
        message: expect.stringContaining('more than 10000 lines'),
      }),
    ]);
  });

  it('is one pattern too many', () => {
    const line = (count: number): string => `anyone join ${'a '.repeat(count)}\n`;
    expect(parseAccessFile(line(MAX_ACCESS_PATTERNS), 'rules').rules.lines).toHaveLength(1);
    expect(problemsOf(line(MAX_ACCESS_PATTERNS + 1))[0]!.message).toContain('more than 100000 patterns');
  });
});

describe('the rules', () => {
  it('are frozen all through', () => {
    const isFrozen = (value: unknown): boolean =>
      typeof value !== 'object' || value === null || (Object.isFrozen(value) && Object.values(value).every(isFrozen));
    const text = 'user alice address 10.0.0.0/8 join a send b private c admin d';
    expect(isFrozen(parseAccessFile(text, 'rules').rules)).toBe(true);
  });

  it('can be sent to a worker thread', () => {
    const { rules } = parseAccessFile('user a* address ::/0 join b.* private', 'rules');
    expect(structuredClone(rules)).toEqual(rules);
  });

  it('of an empty file allow nothing, which gives a warning', () => {
    const { rules, warnings } = parseAccessFile('# nothing\n', 'rules');
    expect(warnings).toEqual(['rules: has no line with rights; every join and every send is refused']);
    for (const right of ACCESS_RIGHTS)
      expect(verdict(rules, { ...NOBODY, user: 'a' }, right, 'x').isAllowed).toBe(false);
  });

  it('may grant admin without a warning', () => {
    expect(parseAccessFile('anyone join a\nanyone admin\n', 'rules').warnings).toEqual([]);
  });
});

describe('a verdict', () => {
  const { rules } = parseAccessFile(
    [
      'user alice join web.* send web.* private bob',
      'address 10.0.0.0/8 join news',
      'unix send local.*',
      'certificate *.example.org admin',
      'user alice unix admin web.*',
      'anyone join open',
    ].join('\n'),
    'rules',
  );
  const alice = { ...NOBODY, user: 'alice' };

  it.each<readonly [string, AccessSubject, (typeof ACCESS_RIGHTS)[number], string, number | null]>([
    ['a user', alice, 'join', 'web.404', 1],
    ['a user for another right', alice, 'send', 'news', null],
    ['a user to one name', alice, 'private', '#bob#d1', 1],
    ['a user to another name', alice, 'private', '#bobby#d1', null],
    ['another user', { ...NOBODY, user: 'alicia' }, 'join', 'web.404', null],
    ['no user', NOBODY, 'join', 'web.404', null],
    ['an address', { ...NOBODY, address: '10.9.8.7' }, 'join', 'news', 2],
    ['the same in IPv6', { ...NOBODY, address: '::ffff:10.9.8.7' }, 'join', 'news', 2],
    ['the same in hexadecimal', { ...NOBODY, address: '::ffff:a09:807' }, 'join', 'news', 2],
    ['another address', { ...NOBODY, address: '11.9.8.7' }, 'join', 'news', null],
    ['an address of IPv6', { ...NOBODY, address: '::1' }, 'join', 'news', null],
    ['what is no address', { ...NOBODY, address: 'gone' }, 'join', 'news', null],
    ['the Unix socket', { ...NOBODY, isUnix: true }, 'send', 'local.a', 3],
    ['what only has no address', NOBODY, 'send', 'local.a', null],
    ['a certificate', { ...NOBODY, certificate: 'ops.example.org' }, 'admin', '', 4],
    ['a certificate as a user', { ...NOBODY, user: 'ops.example.org' }, 'admin', '', null],
    ['all of a line', { ...alice, isUnix: true }, 'admin', 'web.1', 5],
    ['all of a line, but not the daemon', { ...alice, isUnix: true }, 'admin', '', null],
    ['a part of a line', alice, 'admin', 'web.1', null],
    ['anyone', NOBODY, 'join', 'open', 6],
  ])('of %s', (_, subject, right, target, line) => {
    const { isAllowed, line: decided } = verdict(rules, subject, right, target);
    expect([isAllowed, decided?.line ?? null]).toEqual([line !== null, line]);
  });
});
