/**
 * The process-group layer: a replicated state machine driven by the order of the ring (ring-protocol.md, section 4). It is
 * given configurations and ordered records, and passes what this daemon's clients see to `GroupsOutput`.
 *
 * Invariant: between two deliveries in state Operational the tables of all daemons of the configuration are equal.
 */

import type { Configuration, ConfigurationMember } from '../host/configuration.ts';
import { invariant } from '../invariant.ts';
import type { NodeIndex } from '../wire/ids.ts';
import { DISCONNECT_RECORD_LENGTH } from '../wire/layout/disconnect-record.ts';
import { GROUPS_HEADER_LENGTH } from '../wire/layout/groups-body.ts';
import { JOIN_RECORD_FLAGS_OFFSET, JOIN_RECORD_LENGTH } from '../wire/layout/join-record.ts';
import { RECORD_HEADER_LENGTH, RECORD_LENGTH_OFFSET } from '../wire/layout/record-header.ts';
import { MAX_MEMBERSHIP_FRAME_LENGTH } from '../wire/limits.ts';
import { RecordKind } from '../wire/record.ts';
import type { Group } from './group.ts';
import { GroupChanges } from './group-changes.ts';
import { byName, GroupTable } from './group-table.ts';
import type { GroupsOutput } from './groups-output.ts';
import { GroupsState } from './groups-state.ts';
import { type Stamp, stampOf } from './stamp.ts';
import { StateExchange, sendInParts } from './state-exchange.ts';
import { encodeTable, whatIsUnsound } from './table-codec.ts';
import { mergeTables } from './table-merge.ts';
import { ViewWriter } from './view-writer.ts';
import { VsRanks } from './vs-sets.ts';

export interface GroupsLayerOptions {
  readonly self: NodeIndex;
  /** IPv4 address of every configured daemon as a number, in configuration order. */
  readonly daemonAddress: readonly number[];
  /** Names of them; tables of other daemons are checked against them. Unset, only their form is checked. */
  readonly daemonNames?: readonly string[];
  /** Longest body given to `sendGroups`. Small enough that a record holding it is never cut: see `DEFAULT_GROUPS_BODY_LENGTH`. */
  readonly groupsBodyBytes?: number;
  /** Longest membership frame to be made; longer ones are told to `GroupsOutput.frameTooLong`. Default: the longest there can be. */
  readonly maxFrameBytes?: number;
}

/** Fits a datagram of 1,472 bytes with the headers of packet and record. */
const DEFAULT_GROUPS_BODY_LENGTH = 1_200;

const MIN_LENGTH: Readonly<Record<number, number>> = {
  [RecordKind.Join]: JOIN_RECORD_LENGTH,
  [RecordKind.Leave]: JOIN_RECORD_FLAGS_OFFSET,
  [RecordKind.Disconnect]: DISCONNECT_RECORD_LENGTH,
  [RecordKind.Groups]: RECORD_HEADER_LENGTH + GROUPS_HEADER_LENGTH,
};

const nodesOf = (members: readonly ConfigurationMember[]): NodeIndex[] => members.map((member) => member.node);

export class GroupsLayer {
  private readonly self: NodeIndex;
  private readonly daemonAddress: readonly number[];
  private readonly daemonNames: readonly string[];
  private readonly groupsBodyBytes: number;
  private readonly output: GroupsOutput;
  private readonly views: ViewWriter;
  private readonly table: GroupTable;
  private readonly ranks: VsRanks;
  /** Clients of daemons that are lost in a transition stay until the next regular configuration. */
  private readonly changes: GroupChanges;

  private currentState: GroupsState = GroupsState.Gathering;
  /** The last regular configuration; null before the first. */
  private regular: Configuration | null = null;
  /** In Transitional and GatheringTransitional: the transitional configuration that was delivered last. */
  private transitional: Configuration | null = null;
  /** Members whose tables equal ours, in configuration order. */
  private synced: readonly NodeIndex[];
  /** By daemon: what its clients' part of the table was last in step with; null when partitioned away or absent. */
  private readonly stamps: (Stamp | null)[];
  private exchange: StateExchange | null = null;

  /** Whether parts of our table are on their way through the order. */
  private isSending = false;
  /** In this exchange our table was refused already. */
  private isOwnChecked = false;

  /** GROUPS records that made no sense, and tables that were refused. */
  malformedRecordCount = 0;
  /** Client records received outside Operational and Transitional, where no daemon may originate them. All daemons ignore them. */
  misplacedRecordCount = 0;
  /** Tables that told of our synced set what we do not know: a broken invariant of ours or of their senders. */
  divergenceCount = 0;

  constructor(options: GroupsLayerOptions, output: GroupsOutput) {
    const nodeCount = options.daemonAddress.length;
    const groupsBodyBytes = options.groupsBodyBytes ?? DEFAULT_GROUPS_BODY_LENGTH;
    if (groupsBodyBytes <= GROUPS_HEADER_LENGTH)
      throw new RangeError(`groupsBodyBytes is ${groupsBodyBytes}; it must be above ${GROUPS_HEADER_LENGTH}`);
    this.self = options.self;
    this.daemonAddress = options.daemonAddress;
    this.daemonNames = options.daemonNames ?? [];
    this.groupsBodyBytes = groupsBodyBytes;
    this.output = output;
    this.views = new ViewWriter(options.self, options.maxFrameBytes ?? MAX_MEMBERSHIP_FRAME_LENGTH, output);
    this.table = new GroupTable(nodeCount);
    this.ranks = new VsRanks(nodeCount);
    const { self, table, views, ranks } = this;
    this.changes = new GroupChanges({ self, table, views, ranks, output });
    this.synced = [options.self];
    this.stamps = new Array<Stamp | null>(nodeCount).fill(null);
  }

  get state(): GroupsState {
    return this.currentState;
  }

  /** While true, nothing weaker than AGREED may be delivered ahead of the order: it could overtake the exchange. */
  get gathering(): boolean {
    return this.currentState === GroupsState.Gathering || this.currentState === GroupsState.GatheringTransitional;
  }

  /** Groups with a member anywhere in the component. */
  get groupCount(): number {
    return this.table.groupCount;
  }

  /** In no particular order; valid until the next record. */
  groups(): Iterable<Group> {
    return this.table.groups();
  }

  memberCount(group: string): number {
    return this.table.group(group)?.memberCount ?? 0;
  }

  /** Private names of the members of `group` in the order of views; empty for a group that does not exist. */
  memberNames(group: string): string[] {
    return this.table.group(group)?.members.map((member) => member.name) ?? [];
  }

  /** 16 hexadecimal digits over groups, ids and members: equal at all daemons of a configuration at the same place of the order. */
  stateHash(): string {
    return this.table.hash().toString();
  }

  /** A configuration at its place in the order of deliveries: regular, transitional, regular, … */
  configurationChanged(configuration: Configuration): void {
    if (configuration.id.kind === 'transitional') this.transitionalDelivered(configuration);
    else this.regularDelivered(configuration);
  }

  /**
   * An ordered Join, Leave, Disconnect or Groups record of `origin`, whole, its header at `offset`. Other kinds are not for this
   * layer and ignored.
   * @param lengthBytes room of the record in `bytes`, with or without padding
   * @returns false when it made no sense and had no effect; the other daemons see it alike
   */
  record(origin: NodeIndex, kind: RecordKind, bytes: Uint8Array, offset: number, lengthBytes: number): boolean {
    const minLength = MIN_LENGTH[kind];
    if (minLength === undefined) return true;
    const view = new DataView(bytes.buffer, bytes.byteOffset + offset, lengthBytes);
    const length = lengthBytes < RECORD_HEADER_LENGTH ? 0 : view.getUint32(RECORD_LENGTH_OFFSET, true);
    if (length < minLength || length > lengthBytes) {
      this.malformedRecordCount++;
      return false;
    }
    if (kind === RecordKind.Groups)
      return this.groupsDelivered(origin, bytes.subarray(offset + RECORD_HEADER_LENGTH, offset + length));
    if (this.gathering) {
      this.misplacedRecordCount++;
      return true;
    }
    this.changes.apply(origin, kind, bytes, view, offset);
    return true;
  }

  private transitionalDelivered(configuration: Configuration): void {
    if (this.regular === null) throw new Error('transitional configuration before the first regular one');
    if (this.currentState === GroupsState.Operational) this.beginTransition(configuration);
    else if (this.currentState === GroupsState.Gathering) {
      this.transitional = configuration;
      this.currentState = GroupsState.GatheringTransitional;
    } else throw new Error('two transitional configurations in a row');
  }

  private beginTransition(configuration: Configuration): void {
    this.currentState = GroupsState.Transitional;
    this.transitional = configuration;
    this.synced = nodesOf(configuration.members);
    this.changes.stamp = stampOf(configuration.id, this.daemonAddress);
    this.changes.isLost.fill(0);
    for (const { node } of this.regular!.members) this.changes.isLost[node] = 1;
    for (const node of this.synced) this.changes.isLost[node] = 0;
    this.stampAll(this.synced);
    this.ranks.assign(this.stamps);
    for (const group of this.table.groupsOfNodes(this.changes.isLost)) {
      this.views.transition(group);
      group.isChanged = true;
      group.setId(this.changes.stamp.procId, this.changes.stamp.time, 1);
    }
  }

  private regularDelivered(configuration: Configuration): void {
    if (this.currentState === GroupsState.Operational) throw new Error('two regular configurations in a row');
    if (this.currentState === GroupsState.Transitional) this.dropAllBut(this.synced);
    else if (this.currentState === GroupsState.GatheringTransitional) this.salvageExchange();
    else if (this.regular === null) this.stamps[this.self] = stampOf(configuration.id, this.daemonAddress);
    else throw new Error('two regular configurations in a row');
    this.regular = configuration;
    this.transitional = null;
    this.changes.isLost.fill(0);
    if (this.regular.members.length === this.synced.length) this.install();
    else this.beginExchange();
  }

  private beginExchange(): void {
    const configuration = this.regular!;
    if (this.currentState !== GroupsState.GatheringTransitional) this.output.blockClients(true);
    this.currentState = GroupsState.Gathering;
    this.exchange = new StateExchange(configuration, this.synced, this.daemonNames);
    this.isSending = false;
    this.isOwnChecked = false;
    this.speakInTurn();
  }

  /** The first daemon of a synced set sends the table for it; when it is refused, the next one does, for all daemons not covered yet. */
  private speakInTurn(): void {
    const exchange = this.exchange!;
    if (this.isSending || exchange.speaker() !== this.self) return;
    this.isSending = true;
    this.speakFor(exchange.unspoken());
  }

  /** Sends the groups of the clients of `nodes`, daemons of its synced set. */
  speakFor(nodes: readonly NodeIndex[]): void {
    sendInParts(this.regular!, this.ownTable(nodes), this.groupsBodyBytes, (body) => this.output.sendGroups(body));
  }

  private ownTable(nodes: readonly NodeIndex[]): Uint8Array {
    const daemons = nodes.map((node) => ({ node, configuration: this.stamps[node]!.configuration }));
    return encodeTable(this.table, daemons, nodes.length < this.synced.length);
  }

  private groupsDelivered(origin: NodeIndex, body: Uint8Array): boolean {
    if (!this.gathering || this.exchange === null) return true;
    const { exchange } = this;
    const isRegular = this.currentState === GroupsState.Gathering;
    const receipt = exchange.receive(origin, body, isRegular);
    if (receipt === 'refused') this.malformedRecordCount++;
    if (receipt !== 'stale' && !exchange.isReceiving(origin)) this.judged(origin);
    return receipt !== 'refused';
  }

  /**
   * A record of `origin` that is, or may be, a part of its table was dropped before it came here, as at all daemons: its series
   * cannot be completed.
   */
  groupsRefused(origin: NodeIndex): void {
    if (this.exchange === null) return;
    this.exchange.refuse(origin, this.currentState === GroupsState.Gathering);
    this.judged(origin);
  }

  /** A table of `origin` was accepted or refused: the exchange continues, or is over. */
  private judged(origin: NodeIndex): void {
    const exchange = this.exchange!;
    if (origin === this.self) {
      this.isSending = false;
      if (exchange.isRefused(origin)) this.checkOwnTable();
    }
    if (!exchange.isComplete) {
      if (this.currentState === GroupsState.Gathering) this.speakInTurn();
      return;
    }
    // First, because what others never knew of must not meet what they say.
    this.leaveOut(exchange.uncovered());
    this.mergeArrived();
    const next = this.transitional;
    this.transitional = null;
    this.install();
    if (next !== null) this.beginTransition(next);
  }

  /**
   * Our table was refused. If it is invalid, our own state is broken and this daemon ends. If it is valid, another daemon used our name, or
   * there is more in it than a table can hold, and that is no reason to end.
   */
  private checkOwnTable(): void {
    if (this.isOwnChecked) return;
    this.isOwnChecked = true;
    const fault = whatIsUnsound(this.ownTable(this.synced), this.daemonNames);
    invariant(fault === null, `the group table that this daemon sends is sound: ${fault}`);
  }

  /**
   * The exchange was cut. Daemons that a valid table covers keep what all of these tables say; the others what they knew of
   * daemons that nobody covered. All of them do so alike.
   */
  private salvageExchange(): void {
    const exchange = this.exchange!;
    const next = new Set(nodesOf(this.transitional!.members));
    const isCovered = exchange.isCovered(this.self);
    if (isCovered) {
      this.forget(exchange.unspoken());
      this.mergeArrived();
    }
    this.synced = this.synced.filter((node) => next.has(node) && exchange.isCovered(node) === isCovered);
    this.dropAllBut(this.synced);
  }

  private mergeArrived(): void {
    const tables = this.exchange!.tables();
    const { self, synced, table, daemonNames: names } = this;
    for (const node of mergeTables(tables, { self, synced, table, names })) {
      this.divergenceCount++;
      this.output.exchangeFault('differs', node);
    }
    const nodes = new Set(synced);
    for (const { node, configuration } of tables.flatMap(({ decoded }) => decoded.daemons)) {
      if (nodes.has(node)) continue;
      nodes.add(node);
      this.stamps[node] = stampOf(configuration, this.daemonAddress);
    }
    this.synced = [...nodes].sort((a, b) => a - b);
  }

  /** Daemons that no valid table covers continue without clients, as seen by every daemon alike. */
  private leaveOut(nodes: readonly NodeIndex[]): void {
    if (nodes.length === 0) return;
    for (const node of nodes) this.output.exchangeFault('left-out', node);
    if (nodes.includes(this.self)) {
      for (const member of this.table.membersOf(this.self))
        for (const group of [...member.groups].sort(byName)) {
          this.views.selfLeave(group, member);
          this.output.memberRemoved(group.name, member.session);
        }
    }
    this.forget(nodes);
  }

  private forget(nodes: readonly NodeIndex[]): void {
    const isForgotten = new Uint8Array(this.stamps.length);
    for (const node of nodes) isForgotten[node] = 1;
    this.table.dropNodes(isForgotten, false);
  }

  private dropAllBut(kept: readonly NodeIndex[]): void {
    const isDropped = new Uint8Array(this.stamps.length).fill(1);
    for (const node of kept) isDropped[node] = 0;
    this.table.dropNodes(isDropped);
    for (let node = 0; node < this.stamps.length; node++) if (isDropped[node] === 1) this.stamps[node] = null;
  }

  /** All tables of the regular configuration are equal: changed groups get their views, and clients continue. */
  private install(): void {
    const wasBlocked = this.exchange !== null;
    this.exchange = null;
    this.ranks.assign(this.stamps);
    this.changes.stamp = stampOf(this.regular!.id, this.daemonAddress);
    const changed: Group[] = [];
    for (const group of this.table.groups()) if (group.isChanged) changed.push(group);
    for (const group of changed.sort(byName)) {
      group.isChanged = false;
      group.setId(this.changes.stamp.procId, this.changes.stamp.time, 1);
      this.views.network(group, this.ranks, null);
    }
    this.synced = nodesOf(this.regular!.members);
    this.stampAll(this.synced);
    this.currentState = GroupsState.Operational;
    if (wasBlocked) this.output.blockClients(false);
  }

  private stampAll(nodes: readonly NodeIndex[]): void {
    this.stamps.fill(null);
    for (const node of nodes) this.stamps[node] = this.changes.stamp;
  }
}
