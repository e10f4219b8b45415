import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { skein } from './cli-process.ts';

const fixture = (name: string): string => fileURLToPath(new URL(`../fixtures/conf/${name}`, import.meta.url));

describe('skein conf', () => {
  let folder: string;
  let bad: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'skein-conf-'));
    bad = join(folder, 'bad.conf');
    await writeFile(bad, 'Spread_Segment 127.0.0.255:4803 {\n  a 127.0.0.1\n}\nWindw = 5\nPersonalWindow = 0\n');
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('prints ok with a summary', async () => {
    const file = join(folder, 'good.conf');
    await writeFile(
      file,
      'Spread_Segment 10.0.0.255 { a 10.0.0.1 b 10.0.0.2 }\nSpread_Segment 10.1.0.255 { c 10.1.0.1 }\n',
    );
    expect(await skein(['conf', 'check', file])).toEqual({
      code: 0,
      stdout: `${file}: ok, 2 segments, 3 daemons\n`,
      stderr: '',
    });
  });

  it('names every option without an effect, from file and command line', async () => {
    const { code, stdout, stderr } = await skein(['conf', 'check', fixture('every-option.conf')]);
    // The files that it names do not exist: a problem, which must hide no warning.
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr.match(/^warning: /gm)).toHaveLength(12);
    const asJson = JSON.parse((await skein(['conf', 'check', fixture('every-option.conf'), '--json'])).stdout);
    expect([asJson.ok, asJson.warnings.length, asJson.problems.length]).toEqual([false, 12, 9]);
    for (const name of ['AccessIpFile', 'ClusterKeyFile', 'AccessFile', 'TlsCertificateFile', 'TlsKeyFile'])
      expect(stderr).toMatch(new RegExp(`^${name}: /etc/skein/.*ENOENT`, 'm'));
    for (const name of ['DebugFlags', 'EventTimeStamp', 'EventPreciseTimeStamp', 'LinkProtocol', 'SocketPortReuse'])
      expect(stderr).toMatch(new RegExp(`^warning: .*every-option\\.conf:\\d+:\\d+: ${name} has no effect: `, 'm'));
  });

  it('prints warnings with line and column', async () => {
    const { code, stdout, stderr } = await skein(['conf', 'check', fixture('lexer-traps.conf')]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/: ok, 1 segment, 4 daemons, 6 warnings\n$/);
    expect(stderr).toMatch(/^warning: .*lexer-traps\.conf:\d+:\d+: .*\n +\d+ \| .*\n +\| +\^+\n/);
  });

  const problems = (): string =>
    [
      `${bad}:4:1: unknown option "Windw"; did you mean "Window"?`,
      '   4 | Windw = 5',
      '     | ^^^^^',
      `${bad}:5:18: PersonalWindow is 0; it must be an integer from 1 to 32767 packets`,
      '   5 | PersonalWindow = 0',
      '     |                  ^',
      '',
    ].join('\n');

  it('marks every problem and exits with 1; a daemon with the same file exits with 2', async () => {
    expect(await skein(['conf', 'check', bad])).toEqual({
      code: 1,
      stdout: '',
      stderr: `${problems()}skein: ${bad}: 2 problems\n`,
    });
    expect(await skein(['start', '-c', bad])).toEqual({ code: 2, stdout: '', stderr: problems() });
  });

  it('prints the same as JSON', async () => {
    const { code, stdout } = await skein(['conf', 'check', bad, '--json']);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      ok: false,
      problems: [
        { line: 4, column: 1, field: 'Windw' },
        { line: 5, column: 18, field: 'PersonalWindow', value: 0 },
      ],
    });
    const good = await skein(['conf', 'check', fixture('single.conf'), '--json']);
    expect(JSON.parse(good.stdout)).toMatchObject({ ok: true, segments: 1, daemons: 1, warnings: [] });
  });

  it('checks the files that a start would read', async () => {
    const file = join(folder, 'files.conf');
    const keys = join(folder, 'keys');
    await writeFile(file, `Spread_Segment 127.0.0.255:4803 { a 127.0.0.1 }\nClusterKeyFile = ${keys}\n`);
    const missing = await skein(['conf', 'check', file]);
    expect([missing.code, missing.stdout]).toEqual([1, '']);
    expect(missing.stderr).toMatch(`ClusterKeyFile: ${keys}: cannot be read: ENOENT`);
    await writeFile(keys, '1:short\n', { mode: 0o600 });
    const bad = await skein(['conf', 'check', file]);
    const problem = `${keys}:1:1: a line is ID:KEY, ID 0 to 255 without leading zeros, KEY 32 bytes in base64 (44 characters)`;
    expect(bad).toEqual({ code: 1, stdout: '', stderr: `${problem}\nskein: ${file}: 1 problem\n` });
    expect(JSON.parse((await skein(['conf', 'check', file, '--json'])).stdout)).toMatchObject({
      ok: false,
      problems: [{ field: 'ClusterKeyFile', message: problem }],
    });
    // A start reports the same.
    expect((await skein(['start', '-c', file])).stderr).toContain(`${problem}\n`);
    await writeFile(keys, `1:${randomBytes(32).toString('base64')}\n`, { mode: 0o600 });
    expect(await skein(['conf', 'check', file])).toMatchObject({ code: 0, stderr: '' });
  });

  it('prints the resolved configuration of a file', async () => {
    const { code, stdout } = await skein(['conf', 'show', fixture('single.conf')]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      source: fixture('single.conf'),
      segments: [{ port: 4803, hosts: [{ name: 'localhost', address: '127.0.0.1' }] }],
      options: { eventPriority: 'WARNING', maxSessions: 4096 },
    });
  });
});
