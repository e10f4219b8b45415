/**
 * One network namespace for each daemon, on one bridge: daemons talk through veth pairs with the MTU of an Ethernet, and each link can be
 * cut or degraded separately. Clients stay outside and use Unix sockets, which no network fault affects. Needs root and iproute2.
 */
import { execFileSync, spawnSync } from 'node:child_process';

const BRIDGE = 'skclu0';
const NETWORK = '10.213.78';
export const MOST_DAEMONS = 9;

export type Transport = 'unicast' | 'multicast' | 'broadcast';

const run = (command: string, ...args: readonly string[]): void => {
  execFileSync(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });
};
const succeeds = (command: string, ...args: readonly string[]): boolean =>
  spawnSync(command, args, { stdio: 'ignore' }).status === 0;
const ip = (...args: readonly string[]): void => run('ip', ...args);

/** Installs iproute2 where it is missing. @throws Error that names what the machine lacks */
export function requireNamespaces(): void {
  if (process.platform !== 'linux') throw new Error('network namespaces exist only on Linux');
  if (process.getuid?.() !== 0) throw new Error('network namespaces need root: run it with sudo');
  if (!succeeds('ip', '-V')) install('iproute2');
}

function install(name: string): void {
  console.log(`installing ${name} …`);
  const script = `apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq ${name}`;
  const { status } = spawnSync('sh', ['-c', script], { stdio: ['ignore', 'ignore', 'inherit'] });
  if (status !== 0) throw new Error(`${name} is not installed, and apt-get could not install it`);
}

/** How links are degraded on this machine. */
export type Impairment = 'netem' | 'iptables' | null;

export class NamespaceNetwork {
  readonly count: number;
  readonly impairment: Impairment;

  /** Removes what an earlier run may have left, then sets up the network. */
  constructor(count: number) {
    this.count = count;
    removeAll();
    ip('link', 'add', BRIDGE, 'type', 'bridge');
    ip('link', 'set', BRIDGE, 'up');
    for (let i = 0; i < count; i++) {
      ip('netns', 'add', namespaceOf(i));
      ip('link', 'add', linkOf(i), 'type', 'veth', 'peer', 'name', 'eth0', 'netns', namespaceOf(i));
      ip('link', 'set', linkOf(i), 'master', BRIDGE, 'up');
      const inside = ['-n', namespaceOf(i)];
      ip(...inside, 'addr', 'add', `${addressOf(i)}/24`, 'broadcast', `${NETWORK}.255`, 'dev', 'eth0');
      ip(...inside, 'link', 'set', 'eth0', 'up');
      ip(...inside, 'link', 'set', 'lo', 'up');
      ip(...inside, 'route', 'add', '239.0.0.0/8', 'dev', 'eth0');
    }
    this.impairment = this.#findImpairment();
  }

  /** The command prefix that enters the namespace of daemon `i`. */
  prefix(i: number): readonly string[] {
    return ['ip', 'netns', 'exec', namespaceOf(i)];
  }

  cut(i: number): void {
    ip('link', 'set', linkOf(i), 'down');
  }

  heal(i: number): void {
    ip('link', 'set', linkOf(i), 'up');
  }

  /** Drops this share of the packets of daemon `i`; with netem it also delays them. */
  impair(i: number, lossPercent: number, delayMs: number): void {
    if (this.impairment === 'netem') {
      const rule = ['loss', `${lossPercent}%`, 'delay', `${delayMs}ms`, `${delayMs / 2}ms`];
      run('tc', '-n', namespaceOf(i), 'qdisc', 'replace', 'dev', 'eth0', 'root', 'netem', ...rule);
    } else if (this.impairment === 'iptables') this.#iptables(i, '-A', lossPercent);
  }

  repair(i: number): void {
    if (this.impairment === 'netem') succeeds('tc', '-n', namespaceOf(i), 'qdisc', 'del', 'dev', 'eth0', 'root');
    else if (this.impairment === 'iptables') succeeds('ip', 'netns', 'exec', namespaceOf(i), 'iptables', '-F');
  }

  remove(): void {
    removeAll();
  }

  #iptables(i: number, action: string, lossPercent: number): void {
    const match = ['-p', 'udp', '-m', 'statistic', '--mode', 'random', '--probability', String(lossPercent / 100)];
    // Half of the loss is in each direction.
    for (const chain of ['INPUT', 'OUTPUT'])
      run('ip', 'netns', 'exec', namespaceOf(i), 'iptables', action, chain, ...match, '-j', 'DROP');
  }

  /** Some kernels lack netem; the packet filter drops packets at random there. */
  #findImpairment(): Impairment {
    const inside = ['netns', 'exec', namespaceOf(0)];
    if (succeeds('tc', '-n', namespaceOf(0), 'qdisc', 'add', 'dev', 'eth0', 'root', 'netem', 'delay', '1ms')) {
      run('tc', '-n', namespaceOf(0), 'qdisc', 'del', 'dev', 'eth0', 'root');
      return 'netem';
    }
    const rule = ['INPUT', '-p', 'udp', '-m', 'statistic', '--mode', 'random', '--probability', '0.1', '-j', 'DROP'];
    if (!succeeds('ip', ...inside, 'iptables', '-A', ...rule)) return null;
    ip(...inside, 'iptables', '-F');
    return 'iptables';
  }
}

/** The segment of all daemons for the given transport. */
export function namespaceConfiguration(count: number, transport: Transport, port: number): string {
  const address = transport === 'multicast' ? '239.192.78.1' : `${NETWORK}.255`;
  const hosts = Array.from({ length: count }, (_, i) => `  d${i + 1} ${addressOf(i)}\n`).join('');
  return `Spread_Segment ${address}:${port} {\n${hosts}}\nTransport = ${transport}\n`;
}

const namespaceOf = (i: number): string => `skclu${i + 1}`;
const linkOf = (i: number): string => `skcluv${i + 1}`;
const addressOf = (i: number): string => `${NETWORK}.${i + 1}`;

function removeAll(): void {
  for (let i = 0; i < MOST_DAEMONS; i++) {
    succeeds('ip', 'netns', 'del', namespaceOf(i));
    succeeds('ip', 'link', 'del', linkOf(i));
  }
  succeeds('ip', 'link', 'del', BRIDGE);
}
