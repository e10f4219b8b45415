/** What the clients of a cluster saw, checked for the properties GRP-3 to GRP-6 (ring-protocol.md, 1.5). */
import { type DecodedFrame, decodeFrame } from './groups-frames.ts';

/** One client in one group. */
interface Presence {
  /** Members of the view it is in. */
  members: string;
  /** Id of that view. */
  viewId: string;
  /** Messages since that view. */
  messages: number[];
  isSignalled: boolean;
}

/** What one receiver of a view caused by the network reported about the view before. */
interface Report {
  readonly set: string;
  readonly before: string;
}

export class ClientTraces {
  private readonly presences = new Map<string, Presence>();
  private readonly signals = new Map<string, number>();
  /** Member list of each view id, and the groups that were empty at some time, whose ids may repeat (client protocol, 5.4). */
  private readonly membersOfId = new Map<string, string>();
  private readonly emptiedGroups = new Set<string>();
  private readonly reports = new Map<string, Report[]>();

  signalCount(daemon: string): number {
    return this.signals.get(daemon) ?? 0;
  }

  emptied(group: string): void {
    this.emptiedGroups.add(group);
  }

  currentView(client: string, group: string): string {
    return this.presences.get(`${client} ${group}`)?.members ?? 'none';
  }

  message(client: string, group: string, id: number): void {
    this.presences.get(`${client} ${group}`)?.messages.push(id);
  }

  /** The client's daemon ended, or its connection: a later client of that name is another one. */
  forgetClient(client: string): void {
    for (const key of [...this.presences.keys()]) if (key.startsWith(`${client} `)) this.presences.delete(key);
  }

  forget(daemon: string): void {
    for (const key of [...this.presences.keys()]) if (key.includes(`#${daemon} `)) this.presences.delete(key);
  }

  /** @param mayLoseSilently members may vanish without a transitional signal before (4.3, GGT) */
  frame(daemon: string, client: string, hex: string, mayLoseSilently: boolean): void {
    const frame = decodeFrame(hex);
    const key = `${client} ${frame.group}`;
    const presence = this.presences.get(key);
    if (frame.kind === 'self-leave') {
      if (presence === undefined) throw new Error(`${key}: self-leave of one who is not in`);
      this.presences.delete(key);
      return;
    }
    if (frame.kind === 'transition') {
      if (presence === undefined) throw new Error(`${key}: signal before the first view`);
      if (presence.viewId !== frame.groupId)
        throw new Error(`${key}: signal of ${frame.groupId} in ${presence.viewId}`);
      if (presence.isSignalled) throw new Error(`${key}: two signals in one view`);
      presence.isSignalled = true;
      this.signals.set(daemon, this.signalCount(daemon) + 1);
      return;
    }
    this.checkView(key, client, frame, presence);
    if (frame.kind === 'network' && presence !== undefined && !presence.isSignalled && !mayLoseSilently) {
      const lost = presence.members.split(',').filter((name) => !frame.members.includes(name));
      if (lost.length > 0) throw new Error(`${key}: lost ${lost.join()} without a signal`);
    }
    this.presences.set(key, {
      members: frame.members.join(),
      viewId: frame.groupId,
      messages: [],
      isSignalled: false,
    });
  }

  /** GRP-4: members of one vs set saw the same messages in the same view before. */
  checkVsSets(): void {
    for (const [key, reports] of this.reports) {
      const beforeOf = new Map<string, string>();
      for (const { set, before } of reports) {
        const known = beforeOf.get(set) ?? before;
        beforeOf.set(set, known);
        if (known !== before) throw new Error(`${key}, vs set ${set}: ${before} and ${known}`);
      }
    }
  }

  private checkView(key: string, client: string, frame: DecodedFrame, presence: Presence | undefined): void {
    const members = frame.members.join();
    if (!frame.members.includes(client)) throw new Error(`${key}: not in its own view ${members}`);
    const isSorted = frame.members.every((name, i) => i === 0 || place(frame.members[i - 1]!) < place(name));
    if (!isSorted) throw new Error(`${key}: members out of order: ${members}`);
    const id = `${frame.group} ${frame.groupId}`;
    const known = this.membersOfId.get(id) ?? members;
    this.membersOfId.set(id, known);
    if (known !== members && !this.emptiedGroups.has(frame.group)) throw new Error(`${id} is ${known} and ${members}`);
    if (frame.kind !== 'network') this.checkChange(key, client, frame, presence);
    else this.checkNetworkView(key, client, frame, presence);
  }

  private checkChange(key: string, client: string, frame: DecodedFrame, presence: Presence | undefined): void {
    const changed = frame.sets[0]![0]!;
    if (frame.sets.length !== 1 || frame.sets[0]!.length !== 1) throw new Error(`${key}: vs sets of a ${frame.kind}`);
    const before = new Set(presence?.members.split(','));
    if (frame.kind === 'join') before.add(changed);
    else before.delete(changed);
    if (presence === undefined) {
      if (frame.kind !== 'join' || changed !== client) throw new Error(`${key}: first view is not its own join`);
    } else if ([...before].sort().join() !== [...frame.members].sort().join()) {
      throw new Error(`${key}: ${frame.kind} of ${changed} from ${presence.members} to ${frame.members.join()}`);
    }
  }

  private checkNetworkView(key: string, client: string, frame: DecodedFrame, presence: Presence | undefined): void {
    const own = frame.sets[frame.ownSet]!;
    if (!own.includes(client)) throw new Error(`${key}: own vs set is ${own.join()}`);
    if ([...frame.sets.flat()].sort().join() !== [...frame.members].sort().join())
      throw new Error(`${key}: vs sets ${JSON.stringify(frame.sets)} of ${frame.members.join()}`);
    if (presence === undefined) {
      if (own.length !== 1 || frame.ownSet !== frame.sets.length - 1) throw new Error(`${key}: joiner is not alone`);
      return;
    }
    for (const name of own) {
      if (!presence.members.split(',').includes(name)) throw new Error(`${key}: ${name} was not in the view before`);
    }
    const view = `${frame.group} ${frame.groupId} ${frame.members.join()}`;
    const before = `${presence.viewId}: ${presence.messages.join()}`;
    this.reports.set(view, [...(this.reports.get(view) ?? []), { set: own.join(), before }]);
  }
}

/** A key that sorts by daemon, then name. */
const place = (name: string): string => `${name.split('#d')[1]} ${name}`;
