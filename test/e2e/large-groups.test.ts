/** Groups whose views do not fit into a term of the ordered log. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect as connectSocket, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { connect, type Membership, type Session } from '../../client/index.ts';
import { Cli } from './cli-process.ts';
import { freePort } from './support/daemons.ts';
import { authChoice, connectBytes } from './support/wire-client.ts';
import { AGREED, encodeFrame, JOIN } from './support/wire-frames.ts';

const TEST_MS = 60_000;
const AT_ONCE = 200;
const HERE = 'I am here';
/** Sessions of each daemon. A view caused by a join was lost above 8,190 members, one by a merge above 4,090. */
const JOINED = 8_300;
const MERGED = 2_100;

interface Place {
  readonly configFile: string;
  readonly ports: readonly number[];
}

function place(daemons: number, ports: readonly number[]): Place {
  const folder = mkdtempSync(join(tmpdir(), 'skein-large-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const configFile = join(folder, 'spread.conf');
  const segments = ports.map((port, i) => `Spread_Segment 127.0.0.255:${port} { d${i + 1} 127.0.0.${i + 1} }`);
  const options = ['MaxSessions = 10000', 'Volatile = yes', ...(daemons > 1 ? ['TimeScale = 2'] : [])];
  writeFileSync(configFile, `${[...segments, ...options].join('\n')}\n`);
  return { configFile, ports };
}

async function start({ configFile }: Place, name: string): Promise<Cli> {
  const daemon = new Cli(['start', '-n', name, '-c', configFile, '--no-unix-socket']);
  onTestFinished(async () => {
    daemon.kill('SIGCONT');
    daemon.kill('SIGKILL');
    await daemon.ended;
  });
  await daemon.until(() => daemon.stderr.includes('daemon ready'));
  return daemon;
}

/**
 * Members that want no views: the views of a growing group to all its members would be terabytes. Each sends its handshake, its join
 * and a message to itself in one write, and is a member when that message arrives.
 */
async function crowd(host: string, port: number, daemon: string, group: string, count: number): Promise<void> {
  const sockets: Socket[] = [];
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
  });
  for (let from = 0; from < count; from += AT_ONCE) {
    const names = Array.from({ length: Math.min(AT_ONCE, count - from) }, (_, i) => `c${from + i}`);
    await Promise.all(
      names.map(
        (name) =>
          new Promise<void>((resolve, reject) => {
            const sender = `#${name}#${daemon}`;
            const socket = connectSocket({ host, port });
            sockets.push(socket);
            let received = '';
            socket.on('data', (bytes) => {
              received += bytes.toString('latin1');
              if (received.endsWith(HERE)) resolve();
            });
            socket.on('close', () => reject(new Error(`${sender} was closed after ${received.length} bytes`)));
            socket.on('error', () => {});
            const join = encodeFrame({ type: JOIN, sender, groups: [group] });
            const here = encodeFrame({ type: AGREED, sender, groups: [sender], data: HERE });
            socket.write(Buffer.concat([connectBytes(name, false), authChoice('NULL'), join, here]));
          }),
      ),
    );
  }
}

async function member(host: string, port: number, name: string): Promise<Session> {
  const session = await connect({ address: { host, port }, name });
  onTestFinished(() => session.destroy());
  return session;
}

async function joined(session: Session, group: string): Promise<Membership> {
  await session.join(group);
  return view(session, ({ changed }) => changed === session.privateName);
}

/** The next view that `matches`. */
async function view(session: Session, matches: (event: Membership) => boolean): Promise<Membership> {
  for await (const event of session) {
    if (event.kind === 'membership' && matches(event)) return event;
  }
  throw new Error('the session ended');
}

describe('a group with thousands of members', () => {
  it(`join resolves with the view of ${JOINED + 1} members`, async () => {
    const at = place(1, [await freePort()]);
    await start(at, 'd1');
    await crowd('127.0.0.1', at.ports[0]!, 'd1', 'big', JOINED);
    const alice = await member('127.0.0.1', at.ports[0]!, 'alice');
    const first = await joined(alice, 'big');
    expect(first.members).toHaveLength(JOINED + 1);
    expect(new Set(first.members).size).toBe(JOINED + 1);
    const bob = await member('127.0.0.1', at.ports[0]!, 'bob');
    const second = await joined(bob, 'big');
    expect(second.members).toEqual([...first.members, bob.privateName].sort());
    const seen = await view(alice, ({ changed }) => changed === bob.privateName);
    expect(seen.members).toEqual(second.members);
    // The stream after it is intact.
    bob.multicast('big', 'after the view');
    for await (const event of alice) {
      if (event.kind !== 'message') continue;
      expect(event.data.toString()).toBe('after the view');
      break;
    }
    await bob.leave('big');
    expect((await view(alice, ({ cause }) => cause === 'leave')).members).toEqual(first.members);
  }, 60_000);

  it(
    `both sides of a group of ${2 * (MERGED + 1)} members get the view of a merge`,
    async () => {
      const at = place(2, [await freePort(), await freePort()]);
      const [, second] = [await start(at, 'd1'), await start(at, 'd2')];
      const hosts = ['127.0.0.1', '127.0.0.2'];
      const sessions: Session[] = [];
      for (const [i, host] of hosts.entries()) await crowd(host, at.ports[i]!, `d${i + 1}`, 'big', MERGED);
      for (const [i, host] of hosts.entries()) {
        const session = await member(host, at.ports[i]!, 'watcher');
        await joined(session, 'big');
        sessions.push(session);
      }
      const all = 2 * (MERGED + 1);
      second.kill('SIGSTOP');
      const alone = await view(sessions[0]!, ({ cause }) => cause === 'network');
      expect(alone.members).toHaveLength(MERGED + 1);
      second.kill('SIGCONT');
      const views = await Promise.all(
        sessions.map((session) => view(session, ({ cause, members }) => cause === 'network' && members.length === all)),
      );
      expect(views[0]!.members).toEqual(views[1]!.members);
      expect(views[0]!.viewId.equals(views[1]!.viewId)).toBe(true);
      for (const { vsSets } of views) {
        expect(vsSets.map((set) => set.length)).toEqual([MERGED + 1, MERGED + 1]);
        expect(new Set(vsSets.flat()).size).toBe(all);
      }
      expect(views[0]!.ownVsSet).not.toBe(views[1]!.ownVsSet);
    },
    TEST_MS,
  );
});
