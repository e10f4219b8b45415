import type { Service } from '../../../client/service-names.ts';
import type { Random } from '../random.ts';
import { NAMES_PER_CLIENT, type SoakShape } from '../shape.ts';
import { DATA_HEADER_LENGTH, type SendPlan, type SoakSession } from './soak-session.ts';

/** Per second, for 250 clients: what a driver does at pace 1. */
export const RATES = { messages: 500, joins: 50, leaves: 45, closes: 2, crashes: 3 } as const;
export const CLIENTS_OF_RATES = 250;

/** Groups a client is in, besides its home, when joins and leaves balance. */
export const GROUPS_PER_CLIENT = 10;
const HOT_PART = 0.2;
const SELF_DISCARD_PART = 0.1;
const MANY_TARGETS_PART = 0.003;
const MAX_TARGETS = 100;
const SERVICES: readonly Service[] = ['unreliable', 'reliable', 'fifo', 'causal', 'agreed', 'safe'];

const pool = new Uint8Array(1 << 18);
let poolFilled = false;

/** A group to join or to send to: some groups are favourites. */
export const pickGroup = (random: Random, shape: SoakShape): number =>
  random.chance(HOT_PART) ? random.pick(shape.hotGroups) : random.below(shape.groups);

/** Any of a session's groups; its home when it is in no other. */
export function pickOwnGroup(random: Random, session: SoakSession): number {
  let left = random.below(session.wanted.size);
  for (const group of session.wanted) if (left-- === 0) return group;
  return -1;
}

/** One message: to an own group, several groups, strangers' groups, or private. */
export function planSend(random: Random, shape: SoakShape, session: SoakSession): SendPlan {
  const kind = random.fraction();
  const groups = new Set<number>();
  const names = new Set<number>();
  const anyName = (): number => random.below(shape.clients) * NAMES_PER_CLIENT + random.below(NAMES_PER_CLIENT);
  if (kind < MANY_TARGETS_PART) {
    const count = random.between(44, MAX_TARGETS - 1);
    for (let i = 0; i < count; i++) groups.add(random.below(shape.groups));
  } else if (kind < 0.55) {
    groups.add(pickOwnGroup(random, session));
  } else if (kind < 0.7) {
    const count = random.between(2, 6);
    for (let i = 0; i < count; i++)
      groups.add(random.chance(0.6) ? pickOwnGroup(random, session) : pickGroup(random, shape));
    if (random.chance(0.3)) names.add(anyName());
  } else if (kind < 0.85) {
    groups.add(pickGroup(random, shape));
  } else {
    names.add(anyName());
  }
  return {
    groups: [...groups],
    names: [...names],
    service: random.pick(SERVICES),
    selfDiscard: random.chance(SELF_DISCARD_PART),
    type: random.between(-30_000, 30_000),
  };
}

/** Mostly small data, some of a few kilobytes, few of up to 100 KB. */
export function makeData(random: Random): Uint8Array {
  if (!poolFilled) {
    const words = new Uint32Array(pool.buffer);
    for (let i = 0; i < words.length; i++) words[i] = random.word();
    poolFilled = true;
  }
  const kind = random.fraction();
  const length =
    kind < 0.9 ? random.between(8, 200) : kind < 0.995 ? random.between(200, 4_000) : random.between(4_000, 100_000);
  const from = random.below(pool.length - length);
  const data = pool.slice(from, from + Math.max(length, DATA_HEADER_LENGTH));
  return data;
}
