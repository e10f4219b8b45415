/**
 * Handles ordered records: checks them; runs go to the ordered log, joins, leaves, disconnects and state exchanges to the
 * process groups, stages of daemons that stop to their barrier, and names of sessions are given out beside them. Everything of the ring
 * agent that is neither the ring nor a queue, so that the simulator runs the same.
 */

import type { ControlWords } from '../../engine/buffers/control-words.ts';
import { OrderingCounter } from '../../engine/buffers/counters.ts';
import type { OrderedLogWriter } from '../../engine/buffers/ordered-log-writer.ts';
import { GroupsLayer, type GroupsLayerOptions } from '../../engine/groups/groups-layer.ts';
import type { ExchangeFault } from '../../engine/groups/groups-output.ts';
import type { Configuration } from '../../engine/host/configuration.ts';
import type { NodeIndex, SessionHandle } from '../../engine/wire/ids.ts';
import { DRAIN_RECORD_STAGE_OFFSET } from '../../engine/wire/layout/drain-record.ts';
import { RECORD_KIND_OFFSET, RECORD_LENGTH_OFFSET } from '../../engine/wire/layout/record-header.ts';
import { monitorName } from '../../engine/wire/monitor-name.ts';
import { alignRecord, type DrainStage, RecordKind } from '../../engine/wire/record.ts';
import { daemonNameBytes, RecordFault, recordFault } from '../../engine/wire/record-check.ts';
import { RESULT_CODES } from '../../engine/wire/result-codes.ts';
import { LogOutput, type LogRoom } from './log-output.ts';
import { SessionRegistry } from './session-registry.ts';

export interface OrderedRecordsOptions extends GroupsLayerOptions {
  /** Of all daemons, in configuration order. */
  readonly daemonNames: readonly string[];
  readonly maxSessions: number;
  /** What is asked of the log before each span; unset, what spans of `MAX_SPAN_BYTES` need. */
  readonly room?: LogRoom;
}

/** For the owner of the send queue. */
export interface OrderedRecordsEvents {
  sendGroups(body: Uint8Array): void;
  blockClients(blocked: boolean): void;
  /** A view of `group` was not told to its members: no frame of the client protocol is that long. */
  frameTooLong(group: string, lengthBytes: number): void;
  /** The state of the clients of `node` is inconsistent. */
  exchangeFault(fault: ExchangeFault, node: NodeIndex): void;
  /** A stopping daemon has reached `stage`. */
  drainStage(origin: NodeIndex, stage: DrainStage): void;
  /** A record was dropped, as it is at all daemons. */
  recordRefused(origin: NodeIndex, fault: RecordFault): void;
}

export class OrderedRecords {
  readonly groups: GroupsLayer;
  readonly output: LogOutput;
  readonly registry: SessionRegistry;
  /** Records handled so far. */
  count = 0;
  /** The log had no room when it was last asked for. */
  isFull = false;
  readonly #self: NodeIndex;
  readonly #daemonNames: readonly Uint8Array[];
  readonly #events: OrderedRecordsEvents;
  readonly #counters: Float64Array;
  readonly #words: ControlWords;
  /** View on the bytes last handled, kept because one buffer brings many records in a row. */
  #view: DataView;

  constructor(
    options: OrderedRecordsOptions,
    log: OrderedLogWriter,
    counters: Float64Array,
    words: ControlWords,
    events: OrderedRecordsEvents,
  ) {
    this.#self = options.self;
    this.#daemonNames = options.daemonNames.map(daemonNameBytes);
    this.#events = events;
    this.#counters = counters;
    this.#words = words;
    this.#view = log.view;
    this.registry = new SessionRegistry(options.maxSessions, monitorName(options.daemonNames[options.self] ?? ''));
    this.output = new LogOutput({
      log,
      counters,
      room: options.room,
      events: {
        sessionEnded: (session) => this.registry.release(session),
        sendGroups: (body) => events.sendGroups(body),
        blockClients: (blocked) => events.blockClients(blocked),
        frameTooLong: (group, lengthBytes) => events.frameTooLong(group, lengthBytes),
        exchangeFault: (fault, node) => events.exchangeFault(fault, node),
      },
    });
    this.groups = new GroupsLayer(options, this.output);
  }

  /** Whether the ring may deliver another span. A log that was full may have room again later: ask again then. */
  hasRoom(): boolean {
    const room = this.output.hasRoom();
    if (!room && !this.isFull) {
      this.#counters[OrderingCounter.LogFull]!++;
      this.#words.logIsFull();
    }
    this.isFull = !room;
    return room;
  }

  /**
   * A range of whole records of `origin`, in their place in the order.
   * @param isOwn straight from this daemon's send queue, where only its own agents write: not checked
   */
  deliver(origin: NodeIndex, bytes: Uint8Array, offset: number, lengthBytes: number, isOwn: boolean): void {
    if (this.#view.buffer !== bytes.buffer || this.#view.byteOffset !== bytes.byteOffset) {
      this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    }
    const view = this.#view;
    const local = origin === this.#self;
    const daemon = this.#daemonNames[origin]!;
    const end = offset + lengthBytes;
    for (let at = offset; at < end; ) {
      const length = view.getUint32(at + RECORD_LENGTH_OFFSET, true);
      const kind = view.getUint8(at + RECORD_KIND_OFFSET);
      const fault = isOwn ? RecordFault.None : recordFault(bytes, view, at, daemon);
      if (fault !== RecordFault.None) {
        this.#count(origin, fault);
        if (kind === RecordKind.Groups) this.groups.groupsRefused(origin);
      } else if (kind === RecordKind.Run) this.output.run(bytes, view, at, origin, local);
      else if (kind === RecordKind.Drain)
        this.#events.drainStage(origin, bytes[at + DRAIN_RECORD_STAGE_OFFSET]! as DrainStage);
      else if (!this.groups.record(origin, kind as RecordKind, bytes, at, length))
        this.#count(origin, RecordFault.Table);
      this.count++;
      at += alignRecord(length);
    }
  }

  /** A packet or fragment was dropped where records are put together. There may have been a part of a table in it. */
  refused(origin: NodeIndex, fault: RecordFault): void {
    this.#count(origin, fault);
    this.groups.groupsRefused(origin);
  }

  #count(origin: NodeIndex, fault: RecordFault): void {
    this.#counters[OrderingCounter.RecordsRefused]!++;
    this.#events.recordRefused(origin, fault);
  }

  configurationChanged(configuration: Configuration): void {
    this.groups.configurationChanged(configuration);
  }

  /**
   * Gives the name out at once, or not: names are this daemon's own business and need no order. The answer goes through the log.
   * @param takes false: it is only asked whether the name is free
   */
  register(session: SessionHandle, privateName: string, takes: boolean): void {
    const code = takes ? this.registry.register(session, privateName) : this.registry.check(privateName);
    if (code === RESULT_CODES.ACCEPT_SESSION) this.output.sessionAccepted(session);
    else this.output.sessionRejected(session, code);
  }
}
