/** What `skein trace` prints for people. */
import type { ProbeAtDaemon, ProbeResult, TraceEvent } from '../../daemon/trace/trace-types.ts';
import { counted, printable, table } from '../text.ts';

/** `2026-11-27T12:31:44.123Z 7/42 agreed #alice#berlin type 3 120 B`. */
export function eventLine(event: TraceEvent): string {
  if (event.kind === 'missed') return `... ${counted(event.count, 'event')} not shown: too many at once`;
  const { at, position } = event;
  const head = `${new Date(at).toISOString()} ${position.ringSeq}/${position.record}`;
  return printable(`${head} ${described(event)}`);
}

function described(event: Exclude<TraceEvent, { readonly kind: 'missed' }>): string {
  switch (event.kind) {
    case 'message': {
      const { service, sender, type, bytes, targets, data } = event;
      const more = targets > 1 ? ` to ${counted(targets, 'target')}` : '';
      const text = data === null ? '' : ` ${JSON.stringify(Buffer.from(data, 'base64').toString())}`;
      return `${service.padEnd(10)} ${sender} type ${type} ${bytes} B${more}${text}`;
    }
    case 'network':
      return `${'network'.padEnd(10)} the daemons changed: ${counted(event.members, 'member')}, ${event.membersBefore} before`;
    default:
      return `${event.kind.padEnd(10)} ${event.member}: ${counted(event.members, 'member')}`;
  }
}

const ms = (value: number | null): string => (value === null ? '-' : value.toFixed(2));
const HEADINGS = ['daemon', 'received', 'stable', 'ordered', 'delivered', 'clock ±', 'receivers', 'waiting'];

export function probeText(result: ProbeResult): string {
  const { service, group, daemon, outcome, submittedMs, sequencedMs, packet, queuedBytes, tokenVisits } = result;
  const where = packet === null ? '' : ` as packet ${packet.seq} of ring ${packet.ringSeq}`;
  const queue = queuedBytes === null ? '' : `, ${queuedBytes} B before it`;
  const visits = tokenVisits === null ? '' : `, tokens that came: ${tokenVisits}`;
  const lines = [
    `${new Date(result.at).toISOString()} ${service} probe for ${group} at ${daemon}: ${outcome}`,
    `  ms: submitted ${ms(submittedMs)}${queue}; sequenced ${ms(sequencedMs)}${where}${visits}`,
    ...table([HEADINGS, ...result.daemons.map(row)], [0])
      .split('\n')
      .map((line) => `  ${line}`),
  ];
  const { heldBy, holds } = result;
  if (heldBy === null) lines.push('  nobody held it back');
  for (const [i, { who, ms: held, why, cause }] of holds.entries())
    lines.push(`  ${i === 0 ? 'held back by' : 'also'} ${who}, ${held.toFixed(1)} ms (${cause}): ${why}`);
  return lines.map(printable).join('\n');
}

function row(at: ProbeAtDaemon): readonly string[] {
  const { daemon, answered, receivedMs, stableMs, orderedMs, deliveredMs, clockErrorMs, receivers } = at;
  const name = answered ? daemon : `${daemon} (silent)`;
  const counts = receivers === null ? ['-', '-'] : [String(receivers.count), `${receivers.waitingBytes} B`];
  return [name, ...[receivedMs, stableMs, orderedMs, deliveredMs, clockErrorMs].map(ms), ...counts];
}
