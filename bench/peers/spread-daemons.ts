/** Starts daemons with a spread.conf. Those of this project and genuine ones differ only in the command. */
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Child, freePort, startChild } from './child.ts';
import { createNamespaces, namespaceBroadcast, removeNamespaces } from './namespaces.ts';
import type { RunningSystem, StartRequest } from './system.ts';

export interface DaemonKind {
  /** Command line that runs one daemon in the foreground. */
  command(configFile: string, daemonName: string): readonly string[];
  /** Lines for the configuration file besides the segments. */
  readonly options: readonly string[];
  /** Time to form the ring, if nothing reports that it has formed. */
  readonly formMs: (daemons: number) => number;
}

interface Placed {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly namespace: string | null;
}

/** On loopback each daemon has its own segment, because the segment determines the port. */
async function place(request: StartRequest): Promise<{ daemons: Placed[]; segments: string[] }> {
  if (request.network === 'namespaces') {
    const port = await freePort();
    const daemons = createNamespaces(request.daemons).map((space, i) => ({
      name: `d${i + 1}`,
      host: space.address,
      port,
      namespace: space.name,
    }));
    const hosts = daemons.map((daemon) => `\t${daemon.name} ${daemon.host}`);
    return { daemons, segments: [`Spread_Segment ${namespaceBroadcast}:${port} {`, ...hosts, '}'] };
  }
  const daemons: Placed[] = [];
  for (let i = 1; i <= request.daemons; i++) {
    daemons.push({ name: `d${i}`, host: `127.0.0.${i}`, port: await freePort(), namespace: null });
  }
  const segments = daemons.flatMap((daemon) => [
    `Spread_Segment ${daemon.host}:${daemon.port} {`,
    `\t${daemon.name} ${daemon.host} {`,
    `\t\t${daemon.host}`,
    '\t}',
    '}',
  ]);
  return { daemons, segments };
}

export async function startSpreadDaemons(kind: DaemonKind, request: StartRequest): Promise<RunningSystem> {
  const { daemons, segments } = await place(request);
  const configFile = join(request.directory, 'spread.conf');
  await chmod(request.directory, 0o755);
  await writeFile(configFile, `${[...segments, ...kind.options].join('\n')}\n`);
  const children: Child[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(children.map((child) => child.stop()));
    if (request.network === 'namespaces') removeNamespaces(request.daemons);
  };
  try {
    for (const daemon of daemons) {
      const prefix = daemon.namespace === null ? [] : ['ip', 'netns', 'exec', daemon.namespace];
      const [command, ...args] = [...prefix, ...kind.command(configFile, daemon.name)];
      const child = startChild(command, args, request.directory);
      children.push(child);
      // One after the other: in namespaces all have the same port, and so the same path of the Unix socket, which each one replaces.
      await child.listening(daemon.host, daemon.port);
    }
    await delay(kind.formMs(request.daemons));
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    endpoints: daemons.map(({ host, port }) => ({ host, port })),
    pids: children.map((child) => child.pid),
    stop,
  };
}
