import { exchange, type MonitoredDaemon } from './exchange.ts';
import { readStatusReport, type StatusReport, statusRequest } from './status-protocol.ts';

/** Null: no answer in time. */
export interface DaemonStatus extends MonitoredDaemon {
  readonly report: StatusReport | null;
}

/** Asks all daemons at once. @param answerAddress see `exchange` */
export const askStatus = (
  daemons: readonly MonitoredDaemon[],
  answerAddress: string | undefined,
  timeoutMs: number,
): Promise<readonly DaemonStatus[]> =>
  Promise.all(
    daemons.map(async ({ name, address, port }) => {
      const report = await exchange({ name, address, port }, answerAddress, timeoutMs, {
        request: (sender) => statusRequest(sender.address, sender.port, true),
        read: readStatusReport,
      });
      return { name, address, port, report };
    }),
  );
