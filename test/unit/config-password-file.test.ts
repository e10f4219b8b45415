import { describe, expect, it } from 'vitest';
import { parsePasswordFile } from '../../engine/config/password-file.ts';

const SALT = Buffer.alloc(16, 1).toString('base64');
const HASH = Buffer.alloc(32, 2).toString('base64');
const line = (user: string, parameters = '16384$8$1', salt = SALT, hash = HASH): string =>
  `${user}:scrypt$${parameters}$${salt}$${hash}`;

describe('password file', () => {
  it('reads users, skipping comments and blanks', () => {
    const { entries, problems } = parsePasswordFile(`# ours\n\n  ${line('alice')}\r\n${line('bob', '32768$4$2')}\n`);
    expect(problems).toEqual([]);
    expect([...entries.keys()]).toEqual(['alice', 'bob']);
    expect(entries.get('bob')).toEqual({
      user: 'bob',
      cost: 32768,
      blockSize: 4,
      parallelization: 2,
      salt: SALT,
      hash: HASH,
    });
  });

  it.each([
    ['no colon', 'alice', 'expected user:scrypt$N$r$p$salt$hash'],
    ['no user', line(''), 'user is ""; it must be 1 to 31 printable ASCII characters'],
    ['a user of 32 bytes', line('u'.repeat(32)), 'it must be 1 to 31 printable'],
    ['a blank in the user', line('al ice'), 'user is "al ice"'],
    [
      'DES crypt',
      'alice:ab1cd2ef3gh4i',
      'a DES crypt hash, which is not supported: set the password with "skein passwd"',
    ],
    ['MD5 crypt', 'alice:$1$salt$hash', 'no scrypt hash'],
    ['missing fields', 'alice:scrypt$16384$8$1', 'expected scrypt$N$r$p$salt$hash'],
    ['too many fields', `${line('alice')}$x`, 'expected scrypt$N$r$p$salt$hash'],
    [
      'a cost that is no power of two',
      line('alice', '16383$8$1'),
      'N of user "alice" is 16383; it must be a power of two',
    ],
    ['a cost of one', line('alice', '1$8$1'), 'N of user "alice" is 1'],
    ['block size 0', line('alice', '16384$0$1'), 'r of user "alice" is 0'],
    ['more memory than a machine should give', line('alice', '1048576$8$1'), 'it must be at most 268435456 bytes'],
    ['parallelization 17', line('alice', '16384$8$17'), 'p of user "alice" is 17; it must be an integer from 1 to 16'],
    ['a short salt', line('alice', '16384$8$1', 'AAAA'), 'salt of user "alice"'],
    ['a salt that is no base64', line('alice', '16384$8$1', '!!!!!!!!!!!!'), 'salt of user "alice"'],
    ['a hash without padding', line('alice', '16384$8$1', SALT, HASH.replace('=', '')), 'hash of user "alice"'],
  ])('reports %s and lets nobody in', (_, text, message) => {
    const { entries, problems } = parsePasswordFile(`#\n${text}`);
    expect(entries.size).toBe(0);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatchObject({ line: 2, message: expect.stringContaining(message) });
  });

  it('keeps the first line of a user', () => {
    const { entries, problems } = parsePasswordFile(`${line('alice')}\n${line('alice', '32768$8$1')}`);
    expect(entries.get('alice')!.cost).toBe(16384);
    expect(problems).toMatchObject([{ line: 2, message: expect.stringContaining('listed twice') }]);
  });

  it('never prints a hash in a problem', () => {
    const secret = 'c2VjcmV0IHNlY3JldCBzZWNyZXQ';
    const { problems } = parsePasswordFile(
      [line('a', '16384$8$1', SALT, secret), line('b', '1$8$1', SALT, secret), `c:${secret}`].join('\n'),
    );
    expect(problems).toHaveLength(3);
    expect(JSON.stringify(problems)).not.toContain(secret);
  });
});
