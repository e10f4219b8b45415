/** How a stop went, in words. */
import type { StopReport } from '../daemon/http/status-types.ts';
import { grouped } from './text.ts';

/** Whether the end of the time cut nothing off. */
export const isCleanStop = (report: StopReport): boolean =>
  report.sessionsCut + report.bytesUnread + report.bytesNotOrdered + report.messagesNotDelivered === 0 &&
  report.packetsUnstable === 0;

export function stopText(report: StopReport): string {
  const cut = [
    [report.sessionsCut, 'sessions that were still sending'],
    [report.bytesUnread, 'bytes read and not processed'],
    [report.bytesNotOrdered, 'bytes not ordered'],
    [report.messagesNotDelivered, 'messages not delivered to slow clients'],
    [report.packetsUnstable, 'packets not known to be everywhere'],
  ] as const;
  const lost = cut.filter(([count]) => count > 0).map(([count, what]) => `${grouped(count)} ${what}`);
  const moved = `${grouped(report.sessionsMoved)} clients moved`;
  return lost.length === 0 ? `${moved}, nothing was cut off` : `${moved}; cut off: ${lost.join(', ')}`;
}
