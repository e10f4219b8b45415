/** What a daemon says to a dangerous command of a monitor: a datagram of skein's own, of type `MonitorType.Answer`. */
import { MONITOR_HEADER_LENGTH, MonitorType, readMonitorAnswer, writeMonitorAnswer } from './monitor-header.ts';

/** Why a command was refused, or `accepted`; the number on the wire is the index. */
export const VERDICTS = [
  'accepted',
  'disabled',
  'no-keys',
  'unsealed',
  'unknown-key',
  'wrong-seal',
  'ticket',
  'replayed',
  'wrong-target',
  'malformed',
  'wrong-value',
] as const;
export type CommandVerdict = (typeof VERDICTS)[number];

export const VERDICT_TEXTS: Readonly<Record<CommandVerdict, string>> = {
  accepted: 'done',
  disabled: 'DangerousMonitor is off in its configuration',
  'no-keys': 'it has no ClusterKeyFile, so it cannot tell who asks',
  unsealed: 'the command is not authenticated',
  'unknown-key': 'it does not have the key the command was sealed with',
  'wrong-seal': 'its key of that number is another one',
  ticket: 'it gives tickets for commands, and this one had none; repeat it',
  replayed: 'the ticket of the command is used, too old, or of an earlier run of the daemon; repeat it',
  'wrong-target': 'the command is meant for another daemon',
  malformed: 'it does not understand the command',
  'wrong-value': 'a value is out of range',
};

/** Verdict u8, 3 reserved, length of the text u16, 2 reserved, then the text: what is out of range. */
const FIXED_LENGTH = 8;
const AT_TEXT_LENGTH = 4;
const MAX_TEXT_LENGTH = 400;

export interface CommandAnswer {
  readonly verdict: CommandVerdict;
  /** ASCII; more about the verdict, or empty. */
  readonly detail: string;
}

/** Little-endian, without the trailer. */
export function encodeAnswer({ verdict, detail }: CommandAnswer, daemon: number): Uint8Array {
  const text = detail.slice(0, MAX_TEXT_LENGTH);
  const bodyLength = FIXED_LENGTH + text.length;
  const answer = new Uint8Array(MONITOR_HEADER_LENGTH + bodyLength);
  const view = new DataView(answer.buffer);
  writeMonitorAnswer(view, MonitorType.Answer, daemon, bodyLength);
  answer[MONITOR_HEADER_LENGTH] = VERDICTS.indexOf(verdict);
  view.setUint16(MONITOR_HEADER_LENGTH + AT_TEXT_LENGTH, text.length, true);
  for (let i = 0; i < text.length; i++) answer[MONITOR_HEADER_LENGTH + FIXED_LENGTH + i] = text.charCodeAt(i) & 0x7f;
  return answer;
}

/** The answer and where its trailer begins, or null when it is none. */
export function decodeAnswer(datagram: Uint8Array): { readonly answer: CommandAnswer; readonly length: number } | null {
  const header = readMonitorAnswer(datagram);
  if (header === null || header.type !== MonitorType.Answer || header.bodyLength < FIXED_LENGTH) return null;
  const length = MONITOR_HEADER_LENGTH + header.bodyLength;
  const verdict = VERDICTS[datagram[MONITOR_HEADER_LENGTH]!];
  if (verdict === undefined || datagram.length < length) return null;
  const view = new DataView(datagram.buffer, datagram.byteOffset, datagram.length);
  const textLength = view.getUint16(MONITOR_HEADER_LENGTH + AT_TEXT_LENGTH, header.littleEndian);
  const from = MONITOR_HEADER_LENGTH + FIXED_LENGTH;
  if (from + textLength > length) return null;
  let detail = '';
  for (let at = from; at < from + textLength; at++) {
    const code = datagram[at]!;
    // What could steer a terminal never leaves here.
    detail += code >= 0x20 && code < 0x7f ? String.fromCharCode(code) : '?';
  }
  return { answer: { verdict, detail }, length };
}
