/** The image cannot be built in a test; these tests check what a build needs, and the daemon as process 1. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const file = readFileSync(`${ROOT}/ops/docker/Dockerfile`, 'utf8');

/** One instruction per line, without comments and continuations. */
const instructions = file
  .replace(/^#.*\n/gm, '')
  .replace(/\\\n/g, ' ')
  .split('\n')
  .filter((line) => line.trim() !== '')
  .map((line) => ({ word: line.split(/\s+/)[0]!, rest: line.slice(line.search(/\s/)).trim() }));

const finalStage = instructions.slice(instructions.findLastIndex(({ word }) => word === 'FROM'));
const last = (word: string): string => finalStage.findLast((instruction) => instruction.word === word)?.rest ?? '';

describe('ops/docker/Dockerfile', () => {
  it('has only instructions that exist', () => {
    const known = /^(FROM|WORKDIR|COPY|RUN|USER|ENV|VOLUME|EXPOSE|ENTRYPOINT|CMD|STOPSIGNAL|HEALTHCHECK)$/;
    expect(instructions.filter(({ word }) => !known.test(word))).toEqual([]);
  });

  it('copies files that exist and that .dockerignore lets through', () => {
    const ignored = readFileSync(`${ROOT}/.dockerignore`, 'utf8').split('\n');
    const copied = instructions
      .filter(({ word, rest }) => word === 'COPY' && !rest.startsWith('--from'))
      .flatMap(({ rest }) => rest.split(/\s+/).slice(0, -1));
    expect(copied.length).toBeGreaterThan(0);
    for (const path of copied) {
      expect(existsSync(`${ROOT}/${path}`), path).toBe(true);
      expect(ignored).not.toContain(path);
    }
  });

  it('runs as a user who is not root, by number, so that Kubernetes can check it', () => {
    expect(last('USER')).toMatch(/^[1-9]\d*:[1-9]\d*$/);
  });

  it('starts the daemon without a shell, so that signals reach it', () => {
    expect(JSON.parse(last('ENTRYPOINT'))).toEqual(['skein']);
    expect(JSON.parse(last('CMD'))[0]).toBe('start');
    expect(last('STOPSIGNAL')).toBe('SIGTERM');
  });

  it('has a Node release that the package accepts', () => {
    const lowest = Number(/\d+/.exec(JSON.parse(readFileSync(`${ROOT}/package.json`, 'utf8')).engines.node)?.[0]);
    const bases = instructions.filter(({ word }) => word === 'FROM').map(({ rest }) => rest);
    expect(bases.length).toBeGreaterThan(0);
    for (const base of bases) expect(Number(/^node:(\d+)-/.exec(base)?.[1]), base).toBeGreaterThanOrEqual(lowest);
  });
});

const mayUnshare = spawnSync('unshare', ['--pid', '--fork', '--mount-proc', 'true']).status === 0;

describe.skipIf(!mayUnshare)('a daemon that is process 1', () => {
  it('stops in order on SIGTERM', async () => {
    const args = ['start', '--port', '0', '--no-unix-socket', '--json'];
    const unshared = ['--pid', '--fork', '--mount-proc', '--kill-child', process.execPath, `${ROOT}/dist/cli.js`];
    const child = spawn('unshare', [...unshared, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    let log = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      log += text;
    });
    const ready = await new Promise<{ readonly pid: number }>((resolve) => {
      child.stdout.once('data', (line: Buffer) => resolve(JSON.parse(line.toString())));
    });
    expect(ready.pid).toBe(1);
    const code = new Promise((resolve) => child.once('close', resolve));
    const { stdout } = spawnSync('pgrep', ['--parent', String(child.pid)], { encoding: 'utf8' });
    process.kill(Number(stdout), 'SIGTERM');
    expect(await code).toBe(0);
    expect(log).toContain('daemon stopped');
  });
});
