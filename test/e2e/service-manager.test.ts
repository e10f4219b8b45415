/** A daemon under `Type=notify`: the real systemd-notify, and a datagram socket in systemd's place. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Cli } from './cli-process.ts';

const START = ['start', '--json', '--port', '0', '--no-unix-socket', '--log-level', 'warn'];

const present = (program: string, argument: string): boolean => spawnSync(program, [argument]).error === undefined;

/** Node has no Unix datagram sockets. Each datagram becomes lines of the file; only assignments are written. */
const RECEIVER = `use Socket; socket(my $s, AF_UNIX, SOCK_DGRAM, 0) or die; bind($s, sockaddr_un($ARGV[0])) or die;
open(my $out, '>>', $ARGV[1]) or die; $out->autoflush(1); $| = 1; print "bound\\n";
while (defined(recv($s, my $text, 65536, 0))) { print $out "$text\\n" }`;

describe.skipIf(!present('systemd-notify', '--version') || !present('perl', '-v'))(
  'a daemon started by systemd',
  () => {
    let folder: string;
    let receiver: ChildProcess;

    beforeEach(async () => {
      folder = mkdtempSync(join(tmpdir(), 'skein-notify-'));
      const files = [join(folder, 'notify'), join(folder, 'received')];
      receiver = spawn('perl', ['-MIO::Handle', '-e', RECEIVER, ...files], { stdio: ['ignore', 'pipe', 'inherit'] });
      await new Promise((resolve) => receiver.stdout!.once('data', resolve));
    });

    afterEach(() => {
      receiver.kill('SIGKILL');
      rmSync(folder, { recursive: true });
    });

    const received = (): string[] => readFileSync(join(folder, 'received'), 'utf8').split('\n');

    async function until(assignment: string): Promise<void> {
      while (!received().includes(assignment)) await new Promise((resolve) => setTimeout(resolve, 20));
    }

    it('notifies when it serves clients and when it stops', async () => {
      const cli = new Cli(START, { NOTIFY_SOCKET: join(folder, 'notify') });
      await until('READY=1');
      const { port, pid } = JSON.parse(cli.lines[0]!) as { readonly port: number; readonly pid: number };
      expect(received()).toContain(`MAINPID=${pid}`);
      expect(received()).toContain(`STATUS=serves clients on 127.0.0.1:${port}`);
      expect(received()).not.toContain('STOPPING=1');
      cli.kill('SIGTERM');
      await until('STOPPING=1');
      expect((await cli.ended).code).toBe(0);
    });

    it('notifies nobody where no service manager listens', async () => {
      const cli = new Cli(START);
      await cli.until((lines) => lines.length > 0);
      cli.kill('SIGTERM');
      expect(await cli.ended).toMatchObject({ code: 0, stderr: '' });
      expect(received()).toEqual(['']);
    });
  },
);

describe('a daemon whose service manager cannot be reached', () => {
  it.each([
    ['systemd-notify fails', { NOTIFY_SOCKET: '/nonexistent/notify' }],
    ['systemd-notify is missing', { NOTIFY_SOCKET: '/nonexistent/notify', PATH: '/nonexistent' }],
  ])('serves, and says why: %s', async (_, env) => {
    const cli = new Cli(START, env);
    await cli.until((lines) => lines.length > 0);
    while (!cli.stderr.includes('the service manager is not informed: systemd-notify'))
      await new Promise((resolve) => setTimeout(resolve, 20));
    cli.kill('SIGTERM');
    expect((await cli.ended).code).toBe(0);
  });
});
