import { SPREAD_DAEMON_WORKING_TARGETS } from '../../engine/wire/limits.ts';
import { readStrings, wrongThis } from '../check.ts';
import { SkeinError } from '../errors.ts';
import { type Data, isPieces, piecesOf } from './data.ts';
import { type FrameTemplate, messageTemplate, type SendOptions } from './frame-template.ts';
import type { Outbound } from './outbound.ts';

/**
 * What to do with more than 43 targets, which the original daemon silently does not deliver (client-protocol.md,
 * section 6): `never` sends one frame of up to 100, right for daemons that handle them; `43` sends several frames of
 * at most 43, after which a receiver in groups of several frames gets several copies.
 */
export type SplitTargets = 'never' | '43';

/** How a session limits lists of targets. */
export interface TargetLimits {
  /** More targets than this are refused; at most 100. */
  readonly maxTargets: number;
  readonly splitTargets: SplitTargets;
}

/**
 * Groups, service and type made ready once: sending copies a header in place of encoding names. For programs that send
 * more than one message to the same groups; `Session.target` makes one. Valid as long as its session.
 */
export class Target {
  /** The targets, in the order given. */
  readonly groups: readonly string[];
  /** The options, as given. */
  readonly options: SendOptions;
  readonly #outbound: Outbound;
  readonly #first: FrameTemplate;
  readonly #rest: readonly FrameTemplate[];

  /** @internal */
  constructor(
    outbound: Outbound,
    sender: string,
    groups: readonly string[],
    options: SendOptions,
    limits: TargetLimits,
  ) {
    if (groups.length > limits.maxTargets)
      throw new SkeinError('ILLEGAL_GROUP', `groups: ${groups.length} targets, at most ${limits.maxTargets}`);
    const perFrame = limits.splitTargets === '43' ? SPREAD_DAEMON_WORKING_TARGETS : limits.maxTargets;
    const templates: FrameTemplate[] = [];
    for (let i = 0; i === 0 || i < groups.length; i += perFrame)
      templates.push(messageTemplate(sender, groups.slice(i, i + perFrame), options));
    const [first, ...rest] = templates;
    this.groups = Object.freeze([...groups]);
    this.options = Object.freeze({ ...options });
    this.#outbound = outbound;
    this.#first = first!;
    this.#rest = rest;
  }

  /**
   * Sends one message. An array is sent as one message, its pieces one behind the other (scatter). False: more is
   * waiting than `sendQueueBytes`; the message is accepted, but wait for `Session.drained` before the next.
   *
   * **Ownership:** data shorter than `copyBelowBytes` (and all text) is copied before this returns. Longer data is
   * sent from where it is and must not change until `Session.flushed` resolves.
   *
   * Throws, with nothing sent: MESSAGE_TOO_LONG, ILLEGAL_PARAM for what is neither text nor bytes, or the error that ended the
   * session.
   */
  send(data: Data | readonly Data[]): boolean {
    if (!Target.#isOne(this)) throw wrongThis('send', 'target');
    if (this.#rest.length === 0 && !isPieces(data)) return this.#outbound.send(this.#first, data);
    const pieces = piecesOf(data);
    // All frames or none: the others have no more targets than the first, but the last may have fewer and so more room for data.
    this.#outbound.check(this.#first, pieces);
    let accepted = this.#outbound.sendScattered(this.#first, pieces);
    for (const template of this.#rest) accepted = this.#outbound.sendScattered(template, pieces);
    return accepted;
  }

  static #isOne(value: unknown): value is Target {
    return typeof value === 'object' && value !== null && #outbound in value;
  }
}

const CACHE_SIZE = 8;

/** The targets used last, so that repeated multicasts to the same groups need no encoding. */
export class TargetCache {
  readonly #targets: Target[] = [];
  #oldest = 0;

  find(groups: string | readonly string[], options: SendOptions | undefined): Target | undefined {
    for (const target of this.#targets) {
      if (sameGroups(target.groups, groups) && sameOptions(target.options, options)) return target;
    }
    return undefined;
  }

  add(target: Target): void {
    this.#targets[this.#oldest] = target;
    this.#oldest = (this.#oldest + 1) % CACHE_SIZE;
  }
}

function sameGroups(a: readonly string[], b: string | readonly string[]): boolean {
  if (typeof b === 'string') return a.length === 1 && a[0] === b;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

function sameOptions(a: SendOptions, b: SendOptions | undefined): boolean {
  return (
    a.service === b?.service &&
    a.type === b?.type &&
    a.selfDiscard === b?.selfDiscard &&
    a.subgroupCast === b?.subgroupCast
  );
}

/** More than are legal, so that the message can give their number. */
const MAX_LISTED_GROUPS = 100_000;

/** A copy of the targets; how many there may be, and what is legal in them, is for the frame to say. */
export function targetList(groups: unknown): readonly string[] {
  if (typeof groups === 'string') return [groups];
  const list = readStrings('groups', groups, 'a name or an array of names', MAX_LISTED_GROUPS, 'ILLEGAL_GROUP');
  if (list.length === 0) throw new SkeinError('ILLEGAL_GROUP', 'groups: none given, at least 1 is needed');
  return list;
}
