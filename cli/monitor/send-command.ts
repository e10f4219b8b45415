import type { ClusterKey } from '../../engine/config/cluster-keys.ts';
import { type CommandVerdict, decodeAnswer, VERDICT_TEXTS } from '../../engine/wire/monitor-answer.ts';
import { encodeCommand, type MonitorCommand } from '../../engine/wire/monitor-commands.ts';
import { NO_TICKET } from '../../engine/wire/monitor-trailer.ts';
import { openMonitorDatagram, sealMonitorDatagram } from '../../workers/network/command-seal.ts';
import type { ConfiguredDaemon } from './cluster.ts';
import { AGAIN, exchange } from './exchange.ts';

/** The outcome of a command at one daemon. */
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
 * Sends a command, sealed with the first key. The daemon first answers with a ticket, and the command is sent again with it.
 * @param answerAddress see `exchange`
 */
export async function sendCommand(
  command: MonitorCommand,
  { name, address, port, target }: ConfiguredDaemon,
  keys: readonly ClusterKey[],
  answerAddress: string | undefined,
  timeoutMs: number,
): Promise<CommandResult> {
  const attempts = new Set<number>();
  const answered = new Set<number>();
  let latest = 0;
  let ticket = NO_TICKET;
  const result = await exchange({ name, address, port }, answerAddress, timeoutMs, {
    request: (sender) => {
      // The attempt tells answers to this monitor from those to other or earlier ones.
      latest = Math.max(Date.now(), latest + 1);
      attempts.add(latest);
      return sealMonitorDatagram(encodeCommand(command, target, sender), keys[0]!, latest, ticket);
    },
    read: (datagram): Pick<CommandResult, 'verdict' | 'text'> | typeof AGAIN | null => {
      const read = decodeAnswer(datagram);
      if (read === null) return null;
      const { verdict, detail } = read.answer;
      const seal = openMonitorDatagram(datagram, read.length, keys);
      const isGenuine = seal.state === 'sealed' && attempts.has(seal.attempt);
      if (isGenuine && seal.ticket.some((byte) => byte !== 0)) {
        // The network may duplicate an answer.
        if (answered.has(seal.attempt)) return null;
        answered.add(seal.attempt);
        ticket = seal.ticket;
        return AGAIN;
      }
      // A daemon without a common key cannot seal its refusal. Success must be proven by the seal.
      if ((verdict === 'accepted' || verdict === 'ticket') && !isGenuine) return null;
      return { verdict, text: detail === '' ? VERDICT_TEXTS[verdict] : detail };
    },
  });
  return { name, address, port, ...(result ?? { verdict: 'no-answer', text: `no answer within ${timeoutMs} ms` }) };
}
