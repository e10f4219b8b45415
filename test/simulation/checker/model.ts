/** A trace put in the shape the properties ask about: who stayed in which configuration, and what was delivered there. */
import {
  type ConfigurationEvent,
  type DeliverEvent,
  isOrdered,
  type MessageId,
  type ProcessId,
  type ProcessTrace,
  type SendEvent,
  type Trace,
} from '../trace/trace.ts';

/** The time of one process between a regular configuration and the next. `com(c)` is both halves together. */
export interface Stay {
  readonly process: ProcessTrace;
  readonly regular: ConfigurationEvent;
  readonly regularDeliveries: DeliverEvent[];
  transitional: ConfigurationEvent | null;
  readonly transitionalDeliveries: DeliverEvent[];
  readonly sends: SendEvent[];
  /** The regular configuration installed next; null when the process ended, or the run did, before that. */
  next: ConfigurationEvent | null;
}

export interface KnownMessage {
  readonly send: SendEvent;
  readonly sender: ProcessTrace;
  /** Place among the ordered messages its sender sent in that configuration, from 1; 0 for RELIABLE and weaker. */
  readonly indexOfSender: number;
}

export interface Model {
  readonly trace: Trace;
  /** Per process, its stays in order. */
  readonly stays: readonly (readonly Stay[])[];
  /** Per regular configuration id, everybody's stay in it. */
  readonly staysIn: ReadonlyMap<string, readonly Stay[]>;
  readonly messages: ReadonlyMap<MessageId, KnownMessage>;
  /** Per regular configuration id: its ordered messages whose sequence number is known, in ring order. */
  readonly ringOrder: ReadonlyMap<string, readonly KnownMessage[]>;
  /** `${node}.${incarnation}` -> process. */
  readonly processOf: ReadonlyMap<string, ProcessTrace>;
  /** Lazily: the messages delivered in either half of a stay. */
  delivered(stay: Stay): ReadonlySet<MessageId>;
}

export const memberKey = (node: number, incarnation: number): string => `${node}.${incarnation}`;

export function buildModel(trace: Trace): Model {
  const stays: Stay[][] = [];
  const staysIn = new Map<string, Stay[]>();
  const messages = new Map<MessageId, KnownMessage>();
  const ringOrder = new Map<string, KnownMessage[]>();
  const processOf = new Map<string, ProcessTrace>();
  for (const process of trace.processes) {
    processOf.set(memberKey(process.node, process.incarnation), process);
    stays[process.process] = staysOf(process);
    for (const stay of stays[process.process]!) {
      pushTo(staysIn, stay.regular.id, stay);
      let indexOfSender = 0;
      for (const send of stay.sends) {
        const ordered = isOrdered(send.service);
        const known: KnownMessage = { send, sender: process, indexOfSender: ordered ? ++indexOfSender : 0 };
        messages.set(send.message, known);
        if (ordered && send.sequence > 0) pushTo(ringOrder, send.configuration, known);
      }
    }
  }
  // Messages of one packet share its number and have one sender, whose order is that of their ids: the sort is stable.
  for (const list of ringOrder.values()) list.sort((a, b) => a.send.sequence - b.send.sequence);
  const deliveredSets = new Map<Stay, ReadonlySet<MessageId>>();
  return {
    trace,
    stays,
    staysIn,
    messages,
    ringOrder,
    processOf,
    delivered(stay) {
      let set = deliveredSets.get(stay);
      if (set === undefined) {
        const fresh = new Set<MessageId>();
        for (const event of stay.regularDeliveries) fresh.add(event.message);
        for (const event of stay.transitionalDeliveries) fresh.add(event.message);
        set = fresh;
        deliveredSets.set(stay, set);
      }
      return set;
    },
  };
}

function staysOf(process: ProcessTrace): Stay[] {
  const stays: Stay[] = [];
  let current: Stay | null = null;
  for (const event of process.events) {
    if (event.kind === 'configuration') {
      if (event.regular) {
        if (current !== null) current.next = event;
        current = {
          process,
          regular: event,
          regularDeliveries: [],
          transitional: null,
          transitionalDeliveries: [],
          sends: [],
          next: null,
        };
        stays.push(current);
      } else if (current !== null) {
        current.transitional = event;
      }
    } else if (current !== null && event.kind === 'deliver') {
      (current.transitional === null ? current.regularDeliveries : current.transitionalDeliveries).push(event);
    } else if (current !== null && event.kind === 'send') {
      current.sends.push(event);
    }
  }
  return stays;
}

export function pushTo<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}

export const isMember = (configuration: ConfigurationEvent, process: ProcessTrace): boolean =>
  configuration.members.some((m) => m.node === process.node && m.incarnation === process.incarnation);

/** The process left the stay alive: it installed another regular configuration, or it is live when the run ends. */
export const finished = (model: Model, stay: Stay): boolean =>
  stay.next !== null || model.trace.live.includes(stay.process.process);

/** The stay of `process` in the regular configuration `id`, if it ever had one. */
export const stayOf = (model: Model, process: ProcessId, id: string): Stay | undefined =>
  model.staysIn.get(id)?.find((stay) => stay.process.process === process);

export const processName = (process: ProcessTrace): string =>
  `node ${process.node} (incarnation ${process.incarnation})`;

/** A check looks for violations and describes each in one line. */
export type Check = (model: Model) => string[];

export interface Property {
  /** `EVS-1` .. `EVS-24`, `GRP-1` .. `GRP-10`. */
  readonly name: string;
  readonly title: string;
  readonly check: Check;
}
