/** Traces written by hand, for the tests of the checks. */
import { AGREED_MESS, SELF_DISCARD } from '../../engine/wire/service.ts';
import type { EpochTrace } from './messages.ts';
import {
  BLOCK_HEADER_WORDS,
  BlockFlag,
  Received,
  Requested,
  SESSION_ENDS,
  type SessionEnd,
  VIEW_CAUSES,
  type ViewCause,
  WordLog,
} from './records.ts';

export interface ViewStep {
  readonly kind: 'view';
  readonly group: number;
  readonly index: number;
  readonly cause: ViewCause;
  readonly changed: number;
  readonly members: readonly number[];
  /** Whether the vs sets are as they should be; default true. */
  readonly sets?: boolean;
}

export type ReceivedStep =
  | ViewStep
  /** A message, by its sender's serial and its number; `hash` when the content came out different. */
  | { readonly kind: 'message'; readonly from: number; readonly sequence: number; readonly hash?: number }
  | { readonly kind: 'selfLeave'; readonly group: number }
  | { readonly kind: 'transition'; readonly group: number }
  | { readonly kind: 'stray' };

export type RequestedStep =
  | {
      readonly kind: 'send';
      readonly sequence: number;
      readonly groups?: readonly number[];
      readonly names?: readonly number[];
      readonly open?: boolean;
      readonly service?: number;
      readonly selfDiscard?: boolean;
    }
  | { readonly kind: 'join' | 'leave'; readonly group: number };

export interface SessionScript {
  readonly serial: number;
  readonly name: number;
  readonly membership?: boolean;
  /** Whether it opened in this epoch; default true. */
  readonly started?: boolean;
  end?: SessionEnd;
  received: ReceivedStep[];
  requested: RequestedStep[];
}

const hashOfMessage = (serial: number, sequence: number): number => serial * 1000 + sequence;
/** Stands for a member list; lists of different members have different numbers in these tests. */
const hashOfMembers = (members: readonly number[]): number =>
  members.reduce((hash, name) => hash * 31 + name + 1, 7) | 0;

function writeReceived(log: WordLog, step: ReceivedStep): void {
  const words = ((): readonly number[] => {
    switch (step.kind) {
      case 'message': {
        const hash = step.hash ?? hashOfMessage(step.from, step.sequence);
        return [Received.Message, step.from, step.sequence, hash];
      }
      case 'view': {
        const hash = hashOfMembers(step.members);
        const cause = VIEW_CAUSES.indexOf(step.cause);
        const sets = step.sets === false ? 0 : 1;
        return [Received.View, step.group, 1, 1000, step.index, cause, step.changed, hash, hash, sets];
      }
      case 'selfLeave':
        return [Received.SelfLeave, step.group];
      case 'transition':
        return [Received.Transition, step.group, 1, 1000, 1];
      case 'stray':
        return [Received.Stray, 0];
    }
  })();
  for (const word of words) log.push(word);
}

function writeRequested(log: WordLog, serial: number, step: RequestedStep): void {
  if (step.kind !== 'send') {
    log.push(step.kind === 'join' ? Requested.Join : Requested.Leave);
    log.push(step.group);
    return;
  }
  const { sequence, groups = [], names = [], open = false, service = AGREED_MESS, selfDiscard = false } = step;
  const bits = service | (selfDiscard ? SELF_DISCARD : 0);
  const targets = [...groups, ...names.map((name) => -1 - name)];
  const head = [Requested.Send, sequence, bits, hashOfMessage(serial, sequence), open ? 1 : 0, targets.length];
  for (const word of [...head, ...targets]) log.push(word);
}

/** What a driver would hand over for these sessions. */
export function traceOf(scripts: readonly SessionScript[]): EpochTrace {
  const words: number[] = [];
  const lists = new Map<number, readonly number[]>();
  for (const script of scripts) {
    const received = new WordLog();
    const requested = new WordLog();
    for (const step of script.received) {
      writeReceived(received, step);
      if (step.kind === 'view') lists.set(hashOfMembers(step.members), step.members);
    }
    for (const step of script.requested) writeRequested(requested, script.serial, step);
    const flags =
      (script.membership === false ? 0 : BlockFlag.Membership) | (script.started === false ? 0 : BlockFlag.Started);
    const end = SESSION_ENDS.indexOf(script.end ?? 'alive');
    const header = [script.serial, script.name, flags, end, received.length, requested.length, 0];
    if (header.length !== BLOCK_HEADER_WORDS) throw new Error('the header of a block has another length');
    words.push(...header, ...received.toArray(), ...requested.toArray());
  }
  const figures = {
    sent: 0,
    delivered: 0,
    deliveredBytes: 0,
    closes: 0,
    crashes: 0,
    connects: 0,
    viewsReceived: 0,
    throttledTicks: 0,
    slowestConnectMs: 0,
    longestStallMs: 0,
  };
  return {
    words: Int32Array.from(words),
    lists: Int32Array.from([...lists].flatMap(([hash, members]) => [hash, hash, members.length, ...members])),
    figures,
  };
}
