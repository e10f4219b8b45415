/** A flush state machine that records its results, and the Spread events to feed it. */
import type { FlushEvent } from '../../client/flush/flush-events.ts';
import { FlushState } from '../../client/flush/flush-state.ts';
import { FLUSH_OK, FLUSH_RECV, type SpreadSend } from '../../client/flush/flush-wire.ts';
import {
  type Membership,
  type MembershipCause,
  type Message,
  type Service,
  SkeinError,
  ViewId,
} from '../../client/index.ts';
import { piecesOf } from '../../client/send/data.ts';

const viewId = (index: number): ViewId => new ViewId(0x7f00_0001, 1000, index);

/** `alice` for `#alice#d`. */
const user = (privateName: string): string => privateName.split('#')[1] ?? privateName;
export const member = (name: string): string => `#${name}#d`;

export function asBytes(send: SpreadSend): Buffer {
  return Buffer.concat(piecesOf(send.data));
}

/** What a session receives from a send. */
export function received(sender: string, send: SpreadSend): Message {
  const { service, type, groups, selfDiscard } = send;
  return {
    kind: 'message',
    service,
    type,
    sender,
    groups,
    data: asBytes(send),
    selfDiscard,
    byteOrder: 'little',
    serviceBits: send.subgroupCast ? 0x4000_0000 : 0,
  };
}

export function idOf(data: Uint8Array): ViewId {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  return new ViewId(view.getInt32(0, true), view.getInt32(4, true), view.getInt32(8, true));
}

export class FlushBench {
  readonly self: string;
  readonly state: FlushState;
  /** In order: `request`, `view ...`, `transition`, `left`, `message ...`; sends as `> ...`. */
  readonly log: string[] = [];
  readonly delivered: FlushEvent[] = [];
  readonly sent: SpreadSend[] = [];

  /** @param self a user name, or a whole private name */
  constructor(self: string) {
    this.self = self.startsWith('#') ? self : member(self);
    this.state = new FlushState(this.self, {
      deliver: (event) => {
        this.delivered.push(event);
        this.log.push(describeEvent(event));
      },
      send: (send) => {
        this.sent.push(send);
        this.log.push(describeSend(send));
      },
    });
  }

  /** The log since the last call. */
  take(): string[] {
    return this.log.splice(0);
  }

  view(
    index: number,
    names: readonly string[],
    cause: MembershipCause,
    changed?: string,
    along: readonly string[] = [],
  ): void {
    const members = names.map(member);
    const event: Membership = {
      kind: 'membership',
      group: 'g',
      viewId: viewId(index),
      cause,
      members,
      ownIndex: members.indexOf(this.self),
      changed: changed === undefined ? undefined : member(changed),
      vsSets: [changed === undefined ? along.map(member) : [member(changed)]],
      ownVsSet: 0,
    };
    this.state.onSpread(event);
  }

  /** A message of another session, through Spread. */
  message(from: string, parts: Partial<Message>): void {
    this.state.onSpread({
      kind: 'message',
      service: 'agreed',
      type: 0,
      sender: member(from),
      groups: ['g'],
      data: Buffer.alloc(0),
      selfDiscard: false,
      byteOrder: 'little',
      serviceBits: 0,
      ...parts,
    });
  }

  text(from: string, text: string, service: Service = 'agreed'): void {
    this.message(from, { data: Buffer.from(text), service });
  }

  #control(type: number, index: number, from: readonly string[]): void {
    const data = Buffer.alloc(12);
    data.writeInt32LE(0x7f00_0001, 0);
    data.writeInt32LE(1000, 4);
    data.writeInt32LE(index, 8);
    for (const name of from) this.message(name, { type, service: 'fifo', data });
  }

  ok(index: number, ...from: string[]): void {
    this.#control(FLUSH_OK, index, from);
  }

  recv(index: number, ...from: string[]): void {
    this.#control(FLUSH_RECV, index, from);
  }

  /** A message in vulnerable form, sent in view `index`. */
  vulnerable(from: string, text: string, index: number, byteOrder: Message['byteOrder'] = 'little'): void {
    const suffix = Buffer.alloc(14);
    const numbers = [0x7f00_0001, 1000, index];
    if (byteOrder === 'little') {
      suffix.writeInt16LE(77, 0);
      for (const [i, value] of numbers.entries()) suffix.writeInt32LE(value, 2 + 4 * i);
    } else {
      suffix.writeInt16BE(77, 0);
      for (const [i, value] of numbers.entries()) suffix.writeInt32BE(value, 2 + 4 * i);
    }
    const data = Buffer.concat([Buffer.from(text), suffix]);
    this.message(from, { type: -32_766, service: 'fifo', data, byteOrder });
  }

  /** Brings the group to STEADY in a view of these members, this one having joined last. */
  joined(names: readonly string[], index = 1): void {
    this.state.beginJoin('g');
    this.view(index, names, 'join', user(this.self));
    this.ok(index, ...names);
    this.recv(index, ...names);
    this.take();
  }
}

function describeEvent(event: FlushEvent): string {
  switch (event.kind) {
    case 'flushRequest':
      return 'request';
    case 'view': {
      const names = event.members.map(user).join();
      return `view ${event.viewId.index} ${event.cause} ${names} vs ${event.vsSet.map(user).join()}`;
    }
    case 'transition':
      return 'transition';
    case 'selfLeave':
      return 'left';
    case 'message':
      return `message ${user(event.sender)} ${event.data.toString()}`;
  }
}

function describeSend(send: SpreadSend): string {
  if (send.type === FLUSH_OK) return `> ok ${idOf(asBytes(send)).index}`;
  if (send.type === FLUSH_RECV) return `> recv ${idOf(asBytes(send)).index}`;
  return `> ${send.type} ${send.groups.map(user).join()}`;
}

/** Code of the error that `act` throws. */
export function codeOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof SkeinError) return error.code;
    throw error;
  }
  return 'nothing thrown';
}

/** States of member and view in group `g`; none when the group is unknown. */
export const states = (bench: FlushBench): string[] => {
  const group = bench.state.group('g');
  return group === undefined ? [] : [group.memberState, group.viewState];
};

/** Alice in a steady view with these others. */
export function steady(...names: string[]): FlushBench {
  const bench = new FlushBench('alice');
  bench.joined(names);
  if (states(bench).join() !== 'joined,steady') throw new Error(`not steady but ${states(bench).join()}`);
  return bench;
}
