/** EVS-9 to EVS-13, EVS-18 and EVS-20: what is delivered, where, and by whom else. */
import { isOrdered, type MessageId, type Service } from '../trace/trace.ts';
import {
  type Check,
  finished,
  type Model,
  memberKey,
  type Property,
  processName,
  pushTo,
  type Stay,
  stayOf,
} from './model.ts';

export const messageText = (model: Model, message: MessageId): string => {
  const known = model.messages.get(message);
  return known === undefined
    ? `message ${message}`
    : `message ${message} of node ${known.sender.node} (${known.send.service}, ${known.send.configuration} #${known.send.sequence})`;
};

const integrity: Check = (model) => {
  const found: string[] = [];
  for (const process of model.trace.processes) {
    const seen = new Set<MessageId>();
    for (const event of process.events) {
      if (event.kind !== 'deliver') continue;
      const known = model.messages.get(event.message);
      const what = `${processName(process)} delivered ${messageText(model, event.message)}`;
      if (known === undefined) found.push(`${what}, which was never sent`);
      else if (known.send.contentHash !== event.contentHash) found.push(`${what} with other content than was sent`);
      else if (known.send.service !== event.service) found.push(`${what} as ${event.service}`);
      else if (known.sender.node !== event.origin) found.push(`${what} as if from node ${event.origin}`);
      else if (known.send.atMs > event.atMs) found.push(`${what} before it was sent`);
      if (seen.has(event.message)) found.push(`${what} twice`);
      seen.add(event.message);
    }
  }
  return found;
};

const sendingConfiguration: Check = (model) => {
  const found: string[] = [];
  for (const stays of model.stays)
    for (const stay of stays)
      for (const half of [stay.regularDeliveries, stay.transitionalDeliveries])
        for (const event of half) {
          const sentIn = model.messages.get(event.message)?.send.configuration;
          if (sentIn !== undefined && sentIn !== stay.regular.id)
            found.push(
              `${processName(stay.process)} delivered ${messageText(model, event.message)} in ${stay.regular.id}`,
            );
        }
  return found;
};

const selfDelivery: Check = (model) => {
  const found: string[] = [];
  for (const stays of model.stays)
    for (const stay of stays) {
      if (!finished(model, stay)) continue;
      for (const send of stay.sends)
        if (send.service !== 'unreliable' && !model.delivered(stay).has(send.message))
          found.push(
            `${processName(stay.process)} left ${stay.regular.id} without its own ${messageText(model, send.message)}`,
          );
    }
  return found;
};

/** Stays of those who moved together, by the whole step. */
function movedTogether(model: Model): Iterable<readonly Stay[]> {
  const steps = new Map<string, Stay[]>();
  for (const stays of model.stays)
    for (const stay of stays)
      if (stay.transitional !== null && stay.next !== null)
        pushTo(steps, `${stay.regular.id} ${stay.transitional.id} ${stay.next.id}`, stay);
  return steps.values();
}

/** What `a` has and `b` has not, and the other way round, among messages of a `wanted` service. */
function difference(
  model: Model,
  a: readonly { message: MessageId; service: Service }[],
  b: readonly { message: MessageId; service: Service }[],
  wanted: (service: Service) => boolean,
): string | null {
  const left = new Set<MessageId>();
  const right = new Set<MessageId>();
  for (const event of a) if (wanted(event.service)) left.add(event.message);
  for (const event of b) if (wanted(event.service)) right.add(event.message);
  for (const message of left) if (!right.has(message)) return `only the first has ${messageText(model, message)}`;
  for (const message of right) if (!left.has(message)) return `only the second has ${messageText(model, message)}`;
  return null;
}

const virtualSynchrony: Check = (model) => {
  const found: string[] = [];
  for (const together of movedTogether(model)) {
    const [first, ...others] = together;
    for (const other of others) {
      const pair = `${processName(first!.process)} and ${processName(other.process)} left ${first!.regular.id} together`;
      const inRegular = difference(model, first!.regularDeliveries, other.regularDeliveries, isOrdered);
      if (inRegular !== null) found.push(`${pair}; in the regular part ${inRegular}`);
      const inTransitional = difference(model, first!.transitionalDeliveries, other.transitionalDeliveries, isOrdered);
      if (inTransitional !== null) found.push(`${pair}; in the transitional part ${inTransitional}`);
    }
  }
  return found;
};

/** RELIABLE may come early, so at one in the regular and at another in the transitional part: only the union counts. */
const reliableTogether: Check = (model) => {
  const found: string[] = [];
  const isReliable = (service: Service): boolean => service === 'reliable';
  for (const together of movedTogether(model)) {
    const [first, ...others] = together;
    for (const other of others) {
      const union = difference(
        model,
        [...first!.regularDeliveries, ...first!.transitionalDeliveries],
        [...other.regularDeliveries, ...other.transitionalDeliveries],
        isReliable,
      );
      if (union !== null)
        found.push(
          `${processName(first!.process)} and ${processName(other.process)} left ${first!.regular.id} together; ${union}`,
        );
    }
  }
  for (const process of model.trace.processes) {
    const seen = new Set<MessageId>();
    for (const event of process.events) {
      if (event.kind !== 'deliver' || !isReliable(event.service)) continue;
      if (seen.has(event.message))
        found.push(`${processName(process)} delivered ${messageText(model, event.message)} twice`);
      seen.add(event.message);
    }
  }
  return found;
};

/** Those of `members` who left com(c) alive without `message`, where c is the regular configuration of `stay`. */
function missingAt(
  model: Model,
  stay: Stay,
  members: readonly { node: number; incarnation: number }[],
  message: MessageId,
): string[] {
  const missing: string[] = [];
  for (const m of members) {
    const q = model.processOf.get(memberKey(m.node, m.incarnation));
    if (q === undefined || q === stay.process) continue;
    const other = stayOf(model, q.process, stay.regular.id);
    const owes = other === undefined ? q.end === 'running' : finished(model, other);
    if (owes && (other === undefined || !model.delivered(other).has(message))) missing.push(processName(q));
  }
  return missing;
}

const wideAtomicity: Check = (model) => {
  const found: string[] = [];
  for (const stays of model.stays)
    for (const stay of stays)
      for (const event of stay.transitionalDeliveries) {
        if (!isOrdered(event.service)) continue;
        for (const q of missingAt(model, stay, stay.transitional!.members, event.message))
          found.push(
            `${processName(stay.process)} delivered ${messageText(model, event.message)} in ${stay.transitional!.id}; ${q}, a member of it, did not`,
          );
      }
  return found;
};

const safe: Check = (model) => {
  const found: string[] = [];
  for (const stays of model.stays)
    for (const stay of stays) {
      const check = (message: MessageId, configuration: { id: string; members: Stay['regular']['members'] }): void => {
        for (const q of missingAt(model, stay, configuration.members, message))
          found.push(
            `${processName(stay.process)} delivered ${messageText(model, message)} as safe in ${configuration.id}; ${q} did not`,
          );
      };
      for (const event of stay.regularDeliveries) if (event.service === 'safe') check(event.message, stay.regular);
      for (const event of stay.transitionalDeliveries)
        if (event.service === 'safe') check(event.message, stay.transitional!);
    }
  return found;
};

export const deliveryProperties: readonly Property[] = [
  { name: 'EVS-9', title: 'integrity', check: integrity },
  { name: 'EVS-10', title: 'delivery in the sending configuration', check: sendingConfiguration },
  { name: 'EVS-11', title: 'self-delivery', check: selfDelivery },
  { name: 'EVS-12', title: 'virtual synchrony', check: virtualSynchrony },
  { name: 'EVS-13', title: 'failure atomicity, wide form', check: wideAtomicity },
  { name: 'EVS-18', title: 'safe delivery', check: safe },
  { name: 'EVS-20', title: 'reliable delivery', check: reliableTogether },
];
