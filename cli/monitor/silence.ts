import { addressTowards, type MonitoredDaemon } from './exchange.ts';

/**
 * Why a running daemon may not answer a monitor. The text follows `no answer from …`.
 * @param answerAddress what `--from` gave, or the configuration; undefined: the address of this machine towards `daemon`
 * @param isChosen whether `--from` was given
 */
export async function silenceHint(
  daemon: MonitoredDaemon,
  answerAddress: string | undefined,
  isChosen: boolean,
): Promise<string> {
  const from = answerAddress ?? (await addressTowards(daemon).catch(() => 'this host'));
  const advice = isChosen ? '' : ' (--from ADDRESS chooses another)';
  return `; it is not running, or its configuration does not have ${from}, where the answer goes${advice}`;
}
