/** Frames as a daemon writes them, and a receiver to feed them to without a socket. */

import type { ReceivedEvent, SkeinError } from '../../client/index.ts';
import { ReceiveBuffer } from '../../client/receive/receive-buffer.ts';
import { Receiver } from '../../client/receive/receiver.ts';
import type { DrainNotice } from '../../engine/wire/drain-notice.ts';

const ENDIAN_FLAG = 0x8000_0080;

export interface FrameParts {
  readonly type: number;
  readonly sender: string;
  readonly groups?: readonly string[];
  readonly messageType?: number;
  readonly data?: Uint8Array | string;
  /** Of a reject: the refused request's type. */
  readonly oldType?: number;
}

function name(text: string): Buffer {
  const field = Buffer.alloc(32);
  field.write(text, 'latin1');
  return field;
}

function int(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0);
  return bytes;
}

export function frame(parts: FrameParts): Buffer {
  const { groups = [], messageType = 0, data = '', oldType } = parts;
  const body = typeof data === 'string' ? Buffer.from(data) : data;
  return Buffer.concat([
    int(parts.type | ENDIAN_FLAG),
    name(parts.sender),
    int(groups.length),
    int(((messageType << 8) & 0x00ff_ff00) | ENDIAN_FLAG),
    int(body.length),
    ...(oldType === undefined ? [] : [int(oldType | ENDIAN_FLAG)]),
    ...groups.map(name),
    body,
  ]);
}

export const AGREED = 0x10;
export const FIFO = 0x04;

export const message = (data: Uint8Array | string, sender = '#bob#localhost', groups = ['room']): Buffer =>
  frame({ type: AGREED, sender, groups, data });

export interface ViewParts {
  readonly group: string;
  readonly members: readonly string[];
  readonly cause?: 'join' | 'leave' | 'disconnect' | 'network';
  readonly changed?: string;
  readonly id?: readonly [memberId: number, time: number, index: number];
  readonly vsSets?: readonly (readonly string[])[];
  readonly ownVsSet?: number;
}

const CAUSE_BITS = { join: 0x100, leave: 0x200, disconnect: 0x400, network: 0x800 };

/** The body of section 5.2. */
export function viewBody(parts: ViewParts): Buffer {
  const { vsSets = [[parts.changed ?? parts.members.at(-1)!]], ownVsSet = 0, id = [0x7f00_0001, 1000, 1] } = parts;
  const sets = vsSets.map((set) => Buffer.concat([int(set.length), ...set.map(name)]));
  const ownOffset = sets.slice(0, ownVsSet).reduce((sum, set) => sum + set.length, 0);
  return Buffer.concat([...id.map(int), int(sets.length), int(ownOffset), ...sets]);
}

export const viewFrame = (parts: ViewParts): Buffer =>
  frame({
    type: 0x1000 | CAUSE_BITS[parts.cause ?? 'join'],
    sender: parts.group,
    groups: parts.members,
    data: viewBody(parts),
  });

export const transitionFrame = (group: string, id: readonly number[]): Buffer =>
  frame({ type: 0x2000, sender: group, data: Buffer.concat(id.map(int)) });

export const selfLeaveFrame = (group: string): Buffer => frame({ type: 0x200, sender: group });

/** A receiver whose events, and whose failure, are collected. */
export class ReceiverBench {
  readonly input = new ReceiveBuffer();
  readonly events: ReceivedEvent[] = [];
  readonly observed: ReceivedEvent[] = [];
  readonly notices: { readonly notice: DrainNotice; readonly eventsBefore: number }[] = [];
  failure: SkeinError | undefined;
  listening = true;
  reading = true;
  readonly receiver: Receiver;

  constructor(privateName = '#alice#localhost', receiveQueueBytes = 1024) {
    this.receiver = new Receiver({
      privateName,
      receiveQueueBytes,
      awaitsAnswer: () => false,
      hasListeners: () => this.listening,
      emitEvent: (event) => this.events.push(event),
      observe: (event) => this.observed.push(event),
      noticed: (notice) => this.notices.push({ notice, eventsBefore: this.events.length }),
      setReading: (reading) => {
        this.reading = reading;
      },
      failed: (error) => {
        this.failure = error;
        this.receiver.finish(error);
      },
      ended: () => undefined,
    });
  }

  /** As the socket would: in reads of at most the room there is. */
  feed(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length && this.failure === undefined; ) {
      const room = this.input.room();
      const length = Math.min(room.length, bytes.length - at);
      room.set(bytes.subarray(at, at + length));
      at += length;
      this.input.commit(length);
      this.receiver.receive(this.input);
    }
  }
}
