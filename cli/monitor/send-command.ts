import type { ClusterKey } from '../../engine/config/cluster-keys.ts';
import { type CommandVerdict, decodeAnswer, VERDICT_TEXTS } from '../../engine/wire/monitor-answer.ts';
import { encodeCommand, type MonitorCommand } from '../../engine/wire/monitor-commands.ts';
import { openMonitorDatagram, sealMonitorDatagram } from '../../workers/network/command-seal.ts';
import type { ConfiguredDaemon } from './cluster.ts';
import { exchange } from './exchange.ts';

/** What became of a command at one daemon. */
export interface CommandResult {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  /** `no-answer`: none came in time. */
  readonly verdict: CommandVerdict | 'no-answer';
  /** For people. */
  readonly text: string;
}

/**
 * Sends a command, sealed with the first key, and waits for what the daemon says to it.
 * @param answerAddress see `exchange`
 */
export async function sendCommand(
  command: MonitorCommand,
  { name, address, port, target }: ConfiguredDaemon,
  keys: readonly ClusterKey[],
  answerAddress: string | undefined,
  timeoutMs: number,
): Promise<CommandResult> {
  const sentUnixMs = new Set<number>();
  let latestUnixMs = 0;
  const result = await exchange({ name, address, port }, answerAddress, timeoutMs, {
    request: (sender) => {
      // Each attempt is a command of its own: a daemon takes no time twice.
      latestUnixMs = Math.max(Date.now(), latestUnixMs + 1);
      sentUnixMs.add(latestUnixMs);
      return sealMonitorDatagram(encodeCommand(command, target, sender), keys[0]!, latestUnixMs);
    },
    read: (datagram): Pick<CommandResult, 'verdict' | 'text'> | null => {
      const read = decodeAnswer(datagram);
      if (read === null) return null;
      const { verdict, detail } = read.answer;
      const seal = openMonitorDatagram(datagram, read.length, keys);
      const isGenuine = seal.state === 'sealed' && sentUnixMs.has(seal.unixMs);
      // Daemons that share no key with us cannot seal their refusal; that something was done must be proven.
      if (verdict === 'accepted' && !isGenuine) return null;
      return { verdict, text: detail === '' ? VERDICT_TEXTS[verdict] : detail };
    },
  });
  return { name, address, port, ...(result ?? { verdict: 'no-answer', text: `no answer within ${timeoutMs} ms` }) };
}
