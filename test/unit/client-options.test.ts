import { describe, expect, it } from 'vitest';
import { resolveAddress } from '../../client/address.ts';
import { resolveAuth } from '../../client/auth.ts';
import { checkGroupName, checkTarget } from '../../client/check-names.ts';
import { resolveConnectOptions } from '../../client/connect-options.ts';
import { SkeinError } from '../../client/errors.ts';
import { type AuthOption, type ConnectOptions, RESULT_CODES } from '../../client/index.ts';

function codeOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof SkeinError) {
      expect(error.resultCode).toBe(RESULT_CODES[error.code]);
      return error.code;
    }
    throw error;
  }
  return 'nothing thrown';
}

describe('address', () => {
  const resolve = (address: ConnectOptions['address']): unknown => resolveAddress(address ?? '', '/run/spread/');

  it.each([
    ['', { path: '/run/spread/4803' }],
    ['4900', { path: '/run/spread/4900' }],
    ['4803@localhost', { host: 'localhost', port: 4803 }],
    ['4803@::1', { host: '::1', port: 4803 }],
    ['4803@[::1]', { host: '::1', port: 4803 }],
    ['[::1]:4900', { host: '::1', port: 4900 }],
    ['[::1]', { host: '::1', port: 4803 }],
    ['::1', { host: '::1', port: 4803 }],
    ['[fe80::1%eth0]:1', { host: 'fe80::1%eth0', port: 1 }],
    ['localhost', { host: 'localhost', port: 4803 }],
    ['10.0.0.7', { host: '10.0.0.7', port: 4803 }],
    ['localhost:4900', { host: 'localhost', port: 4900 }],
    ['tcp://db-1.example:4900', { host: 'db-1.example', port: 4900 }],
    ['spread://[::1]:4900/', { host: '::1', port: 4900 }],
    ['skein://localhost', { host: 'localhost', port: 4803 }],
    ['/run/x/4803', { path: '/run/x/4803' }],
    ['./a.sock', { path: './a.sock' }],
    ['unix:/run/x', { path: '/run/x' }],
    ['unix:///run/x', { path: '/run/x' }],
  ])('reads %j', (text, expected) => {
    expect(resolve(text)).toEqual(expected);
  });

  it('accepts the forms of Node', () => {
    expect(resolve({ host: 'a', port: 1 })).toEqual({ host: 'a', port: 1 });
    expect(resolve({ path: '/x/y' })).toEqual({ path: '/x/y' });
  });

  it.each([
    ...['@host', '4803@', '0', '65536@a', ' 4803', '4803 @a', '-1', '4803:a', '4803:4804', 'a:b:c', 'host:', ':4803'],
    ...[
      'http://host:4803',
      'tcp://user@host:1',
      'tcp://host:1/x',
      'tcp://',
      '[::1',
      '[host]:1',
      'unix:',
      'a\0b',
      'host:70000',
    ],
    ...['x'.repeat(254), '4803@h\0', '/a\0b', '\ud800 ', '999999999999999999999'],
  ])('refuses %j', (text) => {
    expect(codeOf(() => resolve(text))).toBe('ILLEGAL_SPREAD');
  });

  it.each([
    ['localhost@4803', '4803@localhost'],
    ['10.0.0.7@4803', '4803@10.0.0.7'],
    ['[::1]@4803', '4803@[::1]'],
    ['4803:localhost', '4803@localhost'],
    ['4803@localhost:4804', '4803@localhost'],
    ['host:4803@', '4803@host'],
    ['@host', '4803@host'],
    ['4803@', '4803@localhost'],
    [':4803', '4803@localhost'],
    ['host:', 'host:4803'],
    [' 4803 ', '4803'],
    ['4803 @host', '4803@host'],
    ['4803 host', '4803@host'],
    ['host 4803', 'host:4803'],
    ['http://host:4803', 'tcp://host:4803'],
    ['ws://host:4884/', 'tcp://host:4884'],
    ['tcp://user@host:1', 'tcp://host:1'],
  ])('suggests for %j the address %j', (text, meant) => {
    expect(() => resolve(text)).toThrow(`did you mean "${meant}"?`);
    expect(codeOf(() => resolve(meant))).toBe('nothing thrown');
  });

  it.each(['0', '-1', '65536@a', 'a:b:c', '[host]:1', 'unix:', 'x'.repeat(254), `4803@${'y '.repeat(5000)}`])(
    'suggests nothing for %j',
    (text) => {
      expect(() => resolve(text)).not.toThrow('did you mean');
    },
  );

  it('explains in errors how to pass an address to connect', () => {
    expect(() => resolveConnectOptions('4803@localhost' as never)).toThrow(
      'options of connect "4803@localhost": must be an object; write connect({ address: "4803@localhost" })',
    );
    expect(() => resolveConnectOptions(4803 as never)).toThrow('write connect({ port: 4803 })');
    expect(() => resolveConnectOptions(true as never)).toThrow('options of connect true: must be an object with');
  });

  it('may be host and port, or path, but not two of these', () => {
    expect(resolveConnectOptions({ host: '::1', port: 4900 }).addresses).toEqual([{ host: '::1', port: 4900 }]);
    expect(resolveConnectOptions({ host: 'h' }).addresses).toEqual([{ host: 'h', port: 4803 }]);
    expect(resolveConnectOptions({ port: 4900 }).addresses).toEqual([{ host: 'localhost', port: 4900 }]);
    expect(resolveConnectOptions({ path: '/x' }).addresses).toEqual([{ path: '/x' }]);
    expect(() => resolveConnectOptions({ address: '4803', host: 'h' })).toThrow(
      /address and host, port or path exclude/,
    );
    expect(() => resolveConnectOptions({ path: '/x', host: 'h' })).toThrow(/path excludes host and port/);
    expect(() => resolveConnectOptions({ port: '4803' } as never)).toThrow(
      'port "4803": must be an integer from 1 to 65535',
    );
  });

  it.runIf(process.platform !== 'win32')('defaults to the Unix socket, then TCP', () => {
    const tcp = { host: 'localhost', port: 4803 };
    expect(resolveConnectOptions({}).addresses).toEqual([{ path: '/tmp/4803' }, tcp]);
    expect(resolveConnectOptions({ name: 'a', address: undefined } as never).addresses).toEqual([
      { path: '/tmp/4803' },
      tcp,
    ]);
    // Any explicit address is the only place tried.
    expect(resolveConnectOptions({ address: '' }).addresses).toEqual([{ path: '/tmp/4803' }]);
    expect(resolveConnectOptions({ address: '4803' }).addresses).toEqual([{ path: '/tmp/4803' }]);
    expect(resolveConnectOptions({ socketDirectory: '/run' }).addresses).toEqual([{ path: '/run/4803' }]);
    expect(resolveConnectOptions({ socketDirectory: '/run', address: 'h' }).addresses).toEqual([
      { host: 'h', port: 4803 },
    ]);
  });

  it('refuses unknown options, with a hint', () => {
    expect(() => resolveConnectOptions({ adress: '4803' } as never)).toThrow(
      'unknown option "adress"; did you mean "address"?',
    );
    expect(() => resolveConnectOptions({ zzzzzz: 1 } as never)).toThrow(/known are address, host/);
    expect(() => resolveConnectOptions(null as never)).toThrow(/options of connect null: must be an object/);
  });

  it('refuses empty and out-of-range parts and names them', () => {
    expect(codeOf(() => resolve({ path: '' }))).toBe('ILLEGAL_SPREAD');
    expect(codeOf(() => resolve({ host: '', port: 1 }))).toBe('ILLEGAL_SPREAD');
    expect(() => resolve({ host: 'h', port: 70_000 })).toThrow(/70000.*65535/);
  });
});

describe('names', () => {
  it('of groups have 1 to 31 bytes from $ to ~', () => {
    for (const group of ['a', 'x'.repeat(31), '$~', '+0'])
      expect(codeOf(() => checkGroupName(group))).toBe('nothing thrown');
    for (const group of ['', 'x'.repeat(32), 'a b', '#a', 'a#', 'caf\u00e9', '\x7f'])
      expect(codeOf(() => checkGroupName(group))).toBe('ILLEGAL_GROUP');
  });

  it('of targets may be private names of the form #user#daemon', () => {
    for (const target of ['room', '#u#d', `#${'u'.repeat(10)}#${'d'.repeat(19)}`])
      expect(codeOf(() => checkTarget(target))).toBe('nothing thrown');
    for (const target of [
      '',
      '#',
      '##',
      '#u',
      '#u#',
      '##d',
      `#${'u'.repeat(11)}#d`,
      `#u#${'d'.repeat(20)}`,
      '#u#d#e',
      '#u #d',
    ])
      expect(codeOf(() => checkTarget(target))).toBe('ILLEGAL_GROUP');
  });

  it.each([
    ['#u', 'the second # is missing'],
    ['##d', 'of the user, it is empty'],
    ['#u #d', 'of the user, character 2 is " " (0x20)'],
    [`#${'u'.repeat(11)}#d`, 'of the user, it has 11'],
    ['#u#', 'of the daemon, it is empty'],
    ['#u#d#e', 'of the daemon, character 2 is "#" (0x23)'],
    [`#u#${'d'.repeat(20)}`, 'of the daemon, it has 20'],
    ['my room', 'group "my room": must be 1 to 31 bytes from 0x24 "$" to 0x7e "~"; character 3 is " " (0x20)'],
  ])('says what is wrong with the target %j', (target, fault) => {
    expect(() => checkTarget(target)).toThrow(fault);
  });

  it.each([
    ['', 'it is empty'],
    ['x'.repeat(32), 'it has 32'],
    ['#room', 'character 1 is "#" (0x23)'],
    [7 as never, 'group 7: must be 1 to 31 bytes'],
  ])('says what is wrong with the group %j', (group, fault) => {
    expect(() => checkGroupName(group)).toThrow(fault);
  });

  it.each([
    ['a b', 'character 2 is " " (0x20)'],
    ['abcdefghijk', 'it has 11'],
  ])('says what is wrong with the name %j', (name, fault) => {
    expect(() => resolveConnectOptions({ name })).toThrow(`name "${name}": must be 1 to 10 bytes`);
    expect(() => resolveConnectOptions({ name })).toThrow(fault);
  });
});

describe('auth', () => {
  it('knows the methods by name', () => {
    const names = (auth: AuthOption) => resolveAuth(auth).map((methods) => methods.map(({ name }) => name));
    expect(names('NULL')).toEqual([['NULL']]);
    expect(names('IP')).toEqual([['IP']]);
    const login = { user: 'u', password: 'p' };
    expect(names(login)).toEqual([['SCRAM-SHA-256']]);
    expect(names({ ...login, methods: ['PWORD'] })).toEqual([['PWORD']]);
    expect(names({ ...login, methods: ['SCRAM-SHA-256', 'PWORD'] })).toEqual([['SCRAM-SHA-256'], ['PWORD']]);
    expect(names([{ name: 'NULL' }, { name: 'X' }])).toEqual([['NULL', 'X']]);
  });

  it.each<[string, AuthOption]>([
    ['no method', []],
    ['four methods', [{ name: 'a' }, { name: 'b' }, { name: 'c' }, { name: 'd' }]],
    ['an empty name', { name: '' }],
    ['a name with a blank', { name: 'a b' }],
    ['a name of 30 bytes', { name: 'x'.repeat(30) }],
    ['a user of 32 bytes', { user: 'u'.repeat(32), password: '' }],
    ['an empty user', { user: '', password: '' }],
    ['a password of 9 bytes for PWORD', { user: 'u', password: '123456789', methods: ['PWORD'] }],
    ['the same beside SCRAM', { user: 'u', password: '123456789', methods: ['SCRAM-SHA-256', 'PWORD'] }],
    ['a password of 1025 bytes', { user: 'u', password: 'x'.repeat(1025) }],
    ['an empty password', { user: 'u', password: '' }],
    ['a control character in the password', { user: 'u', password: 'a\tb' }],
    ['a blank in the user', { user: 'a b', password: 'x' }],
    ['a "*" in the user', { user: 'a*', password: 'x' }],
  ])('refuses %s', (_, auth) => {
    expect(codeOf(() => resolveAuth(auth))).toBe('REJECT_AUTH');
  });

  it.each<[string, unknown]>([
    ['an empty list', []],
    ['no list', 'PWORD'],
    ['a method twice', ['PWORD', 'PWORD']],
    ['an unknown one', ['SCRAM-SHA-1']],
    ['a method that takes no password', ['NULL']],
  ])('refuses %s as methods of a password', (_, methods) => {
    const auth = { user: 'u', password: 'p', methods } as unknown as AuthOption;
    expect(codeOf(() => resolveAuth(auth))).toBe('ILLEGAL_PARAM');
  });

  it('never puts a password into a message', () => {
    const messageOf = (auth: AuthOption): string => {
      try {
        resolveAuth(auth);
        return '';
      } catch (error) {
        return (error as Error).message;
      }
    };
    const login = { user: 'u', password: 'secret-secret\n' };
    expect(messageOf({ ...login, methods: ['PWORD'] })).toMatch(/^auth.password: 14 bytes/);
    for (const methods of [['PWORD'], ['SCRAM-SHA-256']] as const)
      expect(messageOf({ ...login, methods })).not.toContain('secret');
  });
});

describe('options', () => {
  it('have defaults', () => {
    expect(resolveConnectOptions({})).toMatchObject({
      name: '',
      membership: true,
      priority: 0,
      connectTimeoutMs: 5000,
      maxTargets: 100,
      splitTargets: 'never',
    });
  });

  it.each<[string, ConnectOptions, string]>([
    ['a name of 11 bytes', { name: 'abcdefghijk' }, 'REJECT_ILLEGAL_NAME'],
    ['a name with #', { name: 'a#b' }, 'REJECT_ILLEGAL_NAME'],
    ['no time', { connectTimeoutMs: 0 }, 'ILLEGAL_PARAM'],
    ['endless time', { connectTimeoutMs: Number.POSITIVE_INFINITY }, 'ILLEGAL_PARAM'],
    ['an empty send queue', { sendQueueBytes: 0 }, 'ILLEGAL_PARAM'],
    ['half a byte', { receiveQueueBytes: 0.5 }, 'ILLEGAL_PARAM'],
    ['101 targets', { maxTargets: 101 }, 'ILLEGAL_PARAM'],
    ['no attempt', { retryNameInUse: { attempts: 0, delayMs: 1 } }, 'ILLEGAL_PARAM'],
    ['a negative delay', { retryNameInUse: { attempts: 1, delayMs: -1 } }, 'ILLEGAL_PARAM'],
  ])('refuses %s', (_, options, code) => {
    expect(codeOf(() => resolveConnectOptions(options))).toBe(code);
  });

  it('are refused with the option, its value and its limit', () => {
    expect(() => resolveConnectOptions({ maxTargets: 101 })).toThrow(
      'maxTargets 101: must be an integer from 1 to 100',
    );
  });
});
