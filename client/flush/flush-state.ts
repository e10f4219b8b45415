/**
 * The flush layer of one session as pure code: Spread's events and the application's requests go in, deliveries and
 * sends come out of the sink (client-protocol.md, section 8). No clock, no sockets; one FlushGroup for each group.
 */
import { checkString, illegal, show } from '../check.ts';
import { checkGroupName, isPrivateName } from '../check-names.ts';
import { SkeinError } from '../errors.ts';
import type { ReceivedEvent } from '../events.ts';
import type { Data } from '../send/data.ts';
import type { Service } from '../service-names.ts';
import { FlushGroup, type FlushSink } from './flush-group.ts';
import {
  type FlushInput,
  MIN_USER_TYPE,
  parseFlushMessage,
  referenceName,
  VULNERABLE,
  vulnerableSuffix,
} from './flush-wire.ts';

/** How a message is sent through the flush layer. */
export interface FlushSendOptions {
  /** Default `agreed`. */
  readonly service?: Service;
  /** -32765 to 32767; default 0. */
  readonly type?: number;
  /** The sender does not get its own copy; default false. */
  readonly selfDiscard?: boolean;
}

const MAX_USER_TYPE = 32_767;

export class FlushState {
  readonly #self: string;
  readonly #sink: FlushSink;
  readonly #groups = new Map<string, FlushGroup>();

  /** @param self the session's private name */
  constructor(self: string, sink: FlushSink) {
    this.#self = self;
    this.#sink = sink;
  }

  group(name: string): FlushGroup | undefined {
    return this.#groups.get(name);
  }

  /**
   * Begins joining; the caller sends the JOIN. ILLEGAL_GROUP for an illegal name or a group one is in, joining or
   * leaving.
   */
  beginJoin(group: string): void {
    checkGroupName(group);
    const known = this.#groups.get(group);
    if (known !== undefined) throw new SkeinError('ILLEGAL_GROUP', `group "${group}": already ${known.memberState}`);
    this.#groups.set(group, new FlushGroup(this.#self, group, this.#sink));
  }

  /** Takes back a `beginJoin` whose request was refused or never sent. */
  cancelJoin(group: string): void {
    if (this.#groups.get(group)?.memberState === 'joining') this.#groups.delete(group);
  }

  /** Begins leaving; the caller sends the LEAVE. ILLEGAL_GROUP when not a member. */
  beginLeave(group: string): void {
    this.#member(group).beginLeave();
  }

  /** Answers a flush request. ILLEGAL_GROUP when not a member, ILLEGAL_STATE when there is no request. */
  flush(group: string): void {
    this.#member(group).flush();
  }

  /** Sends to all members of the installed view, or freely to a private name. */
  multicast(group: string, data: readonly Data[], options: FlushSendOptions): void {
    const { service = 'agreed', type = 0, selfDiscard = false } = options;
    checkUserType(type);
    const common = { groups: [group], service, selfDiscard, subgroupCast: false };
    const vulnerableIn = this.#checkTarget(group)?.vulnerableIn(service);
    this.#sink.send(
      vulnerableIn === undefined
        ? { ...common, type, data }
        : { ...common, type: VULNERABLE, data: [...data, vulnerableSuffix(type, vulnerableIn)] },
    );
  }

  /** Sends to some members of the installed view of `group`, or to a private name in its own name. */
  subgroupMulticast(
    group: string,
    receivers: readonly string[],
    data: readonly Data[],
    options: FlushSendOptions,
  ): void {
    const { service = 'agreed', type = 0, selfDiscard = false } = options;
    checkUserType(type);
    const record = this.#checkTarget(group);
    checkReceivers(group, receivers, record?.members ?? [group]);
    const common = { groups: receivers, service, selfDiscard, subgroupCast: true };
    const vulnerableIn = record?.vulnerableIn(service);
    const reference = referenceName(group);
    this.#sink.send(
      vulnerableIn === undefined
        ? { ...common, type, data: [...data, reference] }
        : { ...common, type: VULNERABLE, data: [...data, vulnerableSuffix(type, vulnerableIn), reference] },
    );
  }

  /** Takes in what Spread delivered. */
  onSpread(event: ReceivedEvent): void {
    switch (event.kind) {
      case 'message': {
        const input = parseFlushMessage(event);
        if (input !== undefined) this.#onMessage(input);
        return;
      }
      case 'membership':
        this.#recordOf(event.group).onMembership(event);
        return;
      case 'transition':
        this.#groups.get(event.group)?.onTransition();
        return;
      case 'selfLeave':
        this.#groups.delete(event.group);
        this.#sink.deliver({ kind: 'selfLeave', group: event.group });
        return;
      case 'reject':
        if (event.request === 'join') this.cancelJoin(event.groups[0] ?? '');
    }
  }

  #onMessage(input: FlushInput): void {
    if (input.kind !== 'user') {
      const record = this.#groups.get(input.group);
      if (input.kind === 'flushOk') record?.onFlushOk(input.sender, input.viewId);
      else record?.onFlushRecv(input.sender, input.viewId);
      return;
    }
    const { message } = input;
    if (message.group === this.#self) this.#sink.deliver(message);
    else this.#groups.get(message.group)?.onMessage(message, input.sentIn);
  }

  #recordOf(group: string): FlushGroup {
    let record = this.#groups.get(group);
    if (record === undefined) {
      record = new FlushGroup(this.#self, group, this.#sink);
      this.#groups.set(group, record);
    }
    return record;
  }

  #member(group: string): FlushGroup {
    const record = this.#groups.get(group);
    if (record === undefined) throw new SkeinError('ILLEGAL_GROUP', `group ${show(group)}: not a member`);
    return record;
  }

  /** The group's record if one may send to it now; undefined for a private name, to which one may always. */
  #checkTarget(target: string): FlushGroup | undefined {
    if (isPrivateName(checkString('group', target, 'ILLEGAL_GROUP'))) return undefined;
    const record = this.#member(target);
    record.checkMaySend();
    return record;
  }
}

function checkUserType(type: number): void {
  if (typeof type !== 'number' || !Number.isInteger(type) || type < MIN_USER_TYPE || type > MAX_USER_TYPE)
    throw illegal(
      'type',
      type,
      `an integer from ${MIN_USER_TYPE} to ${MAX_USER_TYPE}, the rest is the flush layer's own`,
      'ILLEGAL_MESSAGE_TYPE',
    );
}

function checkReceivers(group: string, receivers: readonly string[], members: readonly string[]): void {
  if (receivers.length === 0)
    throw new SkeinError('ILLEGAL_RECEIVERS', `receivers: none given, at least one member of "${group}" is needed`);
  const known = new Set(members);
  for (const receiver of receivers) {
    if (!known.has(receiver))
      throw new SkeinError(
        'ILLEGAL_RECEIVERS',
        `receiver ${show(receiver)}: not a member of the installed view of "${group}"`,
      );
  }
}
