/** What a daemon says to a dangerous command of a monitor: a datagram of skein's own, of type `MonitorType.Answer`. */
import {
  ANSWER_FIXED_LENGTH,
  ANSWER_TEXT_LENGTH_OFFSET,
  ANSWER_TEXT_OFFSET,
  ANSWER_VERDICT_OFFSET,
} from './layout/command-answer.ts';
import { MONITOR_HEADER_LENGTH } from './layout/monitor-header.ts';
import { MonitorType, readMonitorAnswer, writeMonitorAnswer } from './monitor-header.ts';

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
  'no-keys': 'it has no ClusterKeyFile, so it cannot check the command',
  unsealed: 'the command is not authenticated',
  'unknown-key': 'it does not have the key the command was sealed with',
  'wrong-seal': 'its key with that id is a different one',
  ticket: 'it requires a ticket for each command, and this one had none; repeat it',
  replayed:
    'the ticket of the command was used, is too old, or is from an earlier incarnation of the daemon; repeat it',
  'wrong-target': 'the command is meant for another daemon',
  malformed: 'it does not understand the command',
  'wrong-value': 'a value is out of range',
};

const MAX_TEXT_LENGTH = 400;

export interface CommandAnswer {
  readonly verdict: CommandVerdict;
  /** ASCII; more about the verdict, or empty. */
  readonly detail: string;
}

/** Little-endian, without the trailer. */
export function encodeAnswer({ verdict, detail }: CommandAnswer, daemon: number): Uint8Array {
  const text = detail.slice(0, MAX_TEXT_LENGTH);
  const answer = new Uint8Array(ANSWER_FIXED_LENGTH + text.length);
  const view = new DataView(answer.buffer);
  writeMonitorAnswer(view, MonitorType.Answer, daemon, answer.length - MONITOR_HEADER_LENGTH);
  answer[ANSWER_VERDICT_OFFSET] = VERDICTS.indexOf(verdict);
  view.setUint16(ANSWER_TEXT_LENGTH_OFFSET, text.length, true);
  for (let i = 0; i < text.length; i++) answer[ANSWER_TEXT_OFFSET + i] = text.charCodeAt(i) & 0x7f;
  return answer;
}

/** The answer and where its trailer begins, or null when it is none. */
export function decodeAnswer(datagram: Uint8Array): { readonly answer: CommandAnswer; readonly length: number } | null {
  const header = readMonitorAnswer(datagram);
  if (header === null || header.type !== MonitorType.Answer) return null;
  const length = MONITOR_HEADER_LENGTH + header.bodyLength;
  if (length < ANSWER_FIXED_LENGTH) return null;
  const verdict = VERDICTS[datagram[ANSWER_VERDICT_OFFSET]!];
  if (verdict === undefined || datagram.length < length) return null;
  const view = new DataView(datagram.buffer, datagram.byteOffset, datagram.length);
  const textLength = view.getUint16(ANSWER_TEXT_LENGTH_OFFSET, header.littleEndian);
  const end = ANSWER_TEXT_OFFSET + textLength;
  if (end > length) return null;
  let detail = '';
  for (let at = ANSWER_TEXT_OFFSET; at < end; at++) {
    const code = datagram[at]!;
    // What could steer a terminal never leaves here.
    detail += code >= 0x20 && code < 0x7f ? String.fromCharCode(code) : '?';
  }
  return { answer: { verdict, detail }, length };
}
