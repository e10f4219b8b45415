import { addressTowards, type MonitoredDaemon } from './exchange.ts';

/**
 * Why a daemon that runs may not answer a monitor, to follow `no answer from …`.
 * @param answerAddress what `--from` gave, or the configuration; undefined: the address of this machine towards `daemon`
 * @param isChosen whether `--from` was given
 */
export async function silenceHint(
  daemon: MonitoredDaemon,
  answerAddress: string | undefined,
  isChosen: boolean,
): Promise<string> {
  const from = answerAddress ?? (await addressTowards(daemon).catch(() => 'none'));
  const advice = isChosen ? '' : '; --from ADDRESS chooses another address of this machine';
  return `; daemons answer only to addresses of their configuration (asked from ${from}${advice})`;
}
