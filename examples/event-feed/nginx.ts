/** A private web server: Debian's nginx on a free port, with all its files in one folder. */
import { type ChildProcess, type ExecFileSyncOptions, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, rename, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const PLACES = ['/usr/sbin/nginx', '/usr/local/sbin/nginx', '/usr/bin/nginx', '/opt/homebrew/bin/nginx'];

export const findNginx = (): string | undefined => PLACES.find((path) => existsSync(path));

/** Needs root. */
export function installNginx(): void {
  const options: ExecFileSyncOptions = {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  };
  execFileSync('apt-get', ['update'], options);
  execFileSync('apt-get', ['install', '-y', '--no-install-recommends', 'nginx-light'], options);
}

const configuration = (folder: string, port: number): string => `
daemon off;
worker_processes 1;
pid ${folder}/nginx.pid;
error_log ${folder}/error.log warn;
events { worker_connections 256; }
http {
  log_format events escape=json '{"id":"$request_id","time":"$time_iso8601","method":"$request_method",'
    '"path":"$uri","status":$status,"bytes":$bytes_sent,"seconds":$request_time}';
  access_log ${folder}/access.log events;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  keepalive_requests 1000000;
  server {
    listen 127.0.0.1:${port};
    location / { return 200 "a page\\n"; }
    location /static/ { return 200 "a picture\\n"; }
    location /api/ { return 200 "{}\\n"; }
    location /api/broken { return 500; }
    location /moved { return 301 /; }
    location /missing { return 404; }
  }
}
`;

export class Nginx {
  readonly port: number;
  readonly logFile: string;
  readonly rotatedLogFile: string;
  readonly #process: ChildProcess;

  private constructor(child: ChildProcess, folder: string, port: number) {
    this.#process = child;
    this.port = port;
    this.logFile = join(folder, 'access.log');
    this.rotatedLogFile = join(folder, 'access.log.1');
  }

  /** Resolves when it answers. */
  static async start(binary: string, folder: string): Promise<Nginx> {
    // After a rotation a worker opens its log itself, without root's rights.
    await chmod(folder, 0o755);
    const port = await freePort();
    const config = join(folder, 'nginx.conf');
    await writeFile(config, configuration(folder, port));
    const errorLog = ['-e', join(folder, 'error.log')];
    const child = spawn(binary, ['-p', folder, '-c', config, ...errorLog], { stdio: ['ignore', 'ignore', 'inherit'] });
    const nginx = new Nginx(child, folder, port);
    while (!(await answers(port))) {
      if (child.exitCode !== null) throw new Error(`nginx ended with code ${child.exitCode}; see ${folder}/error.log`);
      await delay(20);
    }
    return nginx;
  }

  /** Rotates like logrotate: renames the file, then makes nginx open a new one. */
  async rotateLog(): Promise<void> {
    await rename(this.logFile, this.rotatedLogFile);
    this.#process.kill('SIGUSR1');
  }

  /** nginx answers and logs pending requests first. */
  async stop(): Promise<void> {
    if (this.#process.exitCode !== null) return;
    const ended = once(this.#process, 'exit');
    this.#process.kill('SIGQUIT');
    await ended;
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}

const answers = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false));
    socket.on('connect', () => socket.destroy());
  });
