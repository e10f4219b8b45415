/**
 * A delivery worker's part in traces: sends what the daemon says to the other daemons about one, through the same queue as what clients send,
 * and hears what daemons say. Where nobody traces it costs nothing: such messages are found like those of any group.
 */
import { readName, writeHeader, writeName } from '../../engine/wire/frame.ts';
import { sessionHandle } from '../../engine/wire/ids.ts';
import {
  FRAME_DATA_LENGTH_OFFSET,
  FRAME_GROUPS_OFFSET,
  FRAME_HEADER_LENGTH,
  FRAME_SENDER_OFFSET,
} from '../../engine/wire/layout/frame-header.ts';
import { NAME_FIELD_LENGTH } from '../../engine/wire/limits.ts';
import { MONITOR_USER, monitorName, TRACE_TARGET } from '../../engine/wire/monitor-name.ts';
import { hashNameWords, nameWords } from '../../engine/wire/name-hash.ts';
import { parsePrivateName } from '../../engine/wire/names.ts';
import { largest } from '../largest.ts';
import { hostClockMs } from '../watch/host-clock.ts';
import type { Receivers } from '../watch/trace-reports.ts';
import type { SubmitOrder, WatchReport } from '../watch/watch-messages.ts';
import type { NameTable } from './name-table.ts';
import type { SubmitPort } from './submit-port.ts';

const HEAD = FRAME_HEADER_LENGTH + NAME_FIELD_LENGTH;
/** Connections count up from 0, and never come to it. */
const NO_SESSION = sessionHandle(0xffff_ffff);
/** Of what may wait for room in the submit queue: more is not submitted. */
const MAX_WAITING = 64;
const MAX_SLOWEST = 3;

export interface TracePortParts {
  readonly worker: number;
  readonly daemonName: string;
  readonly names: NameTable;
  readonly port: SubmitPort;
  /** A state exchange is under way, and what clients send has to wait. */
  readonly isBlocked: () => boolean;
  readonly now: () => number;
  readonly report: (report: WatchReport) => void;
}

interface WaitingOrder {
  readonly order: SubmitOrder;
  readonly askedAt: number;
}

export class TracePort {
  readonly #parts: TracePortParts;
  readonly #hash: number;
  #waiting: WaitingOrder[] = [];

  constructor(parts: TracePortParts) {
    this.#parts = parts;
    const words = nameWords(TRACE_TARGET);
    this.#hash = hashNameWords(words, 0);
    parts.names.watch(words);
  }

  submit(order: SubmitOrder): void {
    if (this.#waiting.length >= MAX_WAITING) return;
    this.#waiting.push({ order, askedAt: hostClockMs() });
    this.poll();
  }

  /** Goes on where the submit queue was full. @returns how many were submitted */
  poll(): number {
    let submitted = 0;
    while (this.#waiting.length > 0 && !this.#parts.isBlocked() && this.#submit(this.#waiting[0]!)) {
      this.#waiting.shift();
      submitted++;
    }
    return submitted;
  }

  /** Frames of one sender to `TRACE_TARGET` came in the order. */
  heard(bytes: Uint8Array, start: number, end: number): void {
    const { worker, now, report } = this.#parts;
    const sender = parsePrivateName(readName(bytes, start + FRAME_SENDER_OFFSET));
    // Clients may send there as well: it says nothing.
    if (sender === null || sender.user !== MONITOR_USER) return;
    const frames = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start);
    const at = hostClockMs();
    for (let frame = 0; frame < frames.length; ) {
      const length = frames.readInt32LE(frame + FRAME_DATA_LENGTH_OFFSET);
      const text = frames.toString('utf8', frame + HEAD, frame + HEAD + length);
      const group = probedGroup(text);
      const receivers = group === null ? null : this.#receivers(group, now());
      if (worker === 0 || receivers !== null)
        report({ kind: 'heard', worker, at, from: sender.daemon, text, receivers });
      frame += HEAD + length;
    }
  }

  #submit({ order, askedAt }: WaitingOrder): boolean {
    const { daemonName, port, report } = this.#parts;
    const { service, text, token } = order;
    const data = Buffer.from(text);
    const frame = Buffer.alloc(HEAD + data.length);
    const view = new DataView(frame.buffer, frame.byteOffset, frame.length);
    writeHeader(frame, view, 0, service, monitorName(daemonName), 1, 0, data.length);
    writeName(frame, FRAME_GROUPS_OFFSET, TRACE_TARGET);
    data.copy(frame, HEAD);
    const queuedBytes = port.queuedBytes();
    if (!port.run(NO_SESSION, service, 0, 1, this.#hash, frame, 0, frame.length)) return false;
    report({ kind: 'submitted', token, askedAt, submittedAt: hostClockMs(), queuedBytes });
    return true;
  }

  #receivers(group: string, nowMs: number): Receivers {
    const field = new Uint8Array(NAME_FIELD_LENGTH);
    writeName(field, 0, group);
    const members = this.#parts.names.findField(new DataView(field.buffer), 0)?.members ?? [];
    let waitingBytes = 0;
    for (const { output } of members) waitingBytes += output.queuedBytes;
    const waiting = largest(members, MAX_SLOWEST, ({ output }) => output.queuedBytes)
      .filter(({ output }) => output.queuedBytes > 0)
      .map(({ privateName, output, behindSinceMs }) => ({
        name: privateName,
        waitingBytes: output.waitingBytes(),
        behindMs: behindSinceMs === 0 ? 0 : Math.max(0, Math.round(nowMs - behindSinceMs)),
      }));
    return { count: members.length, waitingBytes, slowest: waiting };
  }
}

/** Null: the text is no probe. */
function probedGroup(text: string): string | null {
  if (!text.startsWith('{"say":"probe"')) return null;
  try {
    const { group } = JSON.parse(text) as { readonly group?: unknown };
    return typeof group === 'string' ? group : null;
  } catch {
    return null;
  }
}
