/** How a stop went, in words. */
import type { StopReport } from '../daemon/http/status-types.ts';
import { counted } from './text.ts';

/** Whether the end of the time cut nothing off. */
export const isCleanStop = (report: StopReport): boolean =>
  report.sessionsCut + report.bytesUnread + report.bytesNotOrdered + report.messagesNotDelivered === 0 &&
  report.packetsUnstable === 0;

export function stopText(report: StopReport): string {
  const cut = [
    [report.sessionsCut, 'session', 'still sending'],
    [report.bytesUnread, 'byte', 'read and not processed'],
    [report.bytesNotOrdered, 'byte', 'not ordered'],
    [report.messagesNotDelivered, 'message', 'not delivered to slow clients'],
    [report.packetsUnstable, 'packet', 'not known to be everywhere'],
  ] as const;
  const lost = cut.filter(([count]) => count > 0).map(([count, noun, what]) => `${counted(count, noun)} ${what}`);
  const moved = `${counted(report.sessionsMoved, 'client')} moved`;
  return lost.length === 0 ? `${moved}, nothing was cut off` : `${moved}; cut off: ${lost.join(', ')}`;
}
