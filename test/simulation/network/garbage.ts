/** Datagrams that no daemon of the cluster would send now. */

import { crcSealer } from '../../../engine/seal/crc-sealer.ts';
import { RING_HEADER_CLUSTER_OFFSET, RING_HEADER_LENGTH_OFFSET } from '../../../engine/wire/layout/ring-header.ts';
import type { Random } from '../core/random.ts';
import type { GarbageMode } from '../scenario/scenario.ts';

const HEADER_BYTES = 40;
const DAMAGE_CHANCE = 0.5;

/** `recorded` holds datagrams of the run's past, sealed. */
export function makeGarbage(mode: GarbageMode, recorded: readonly Uint8Array[], random: Random): Uint8Array {
  if (mode === 'random' || recorded.length === 0) return randomBytes(random, random.integer(0, 200));
  const old = random.pick(recorded).slice();
  switch (mode) {
    case 'recorded':
      return random.chance(DAMAGE_CHANCE) ? damage(old, random) : old;
    case 'foreign':
      old[RING_HEADER_CLUSTER_OFFSET + random.integer(0, 3)]! ^= random.integer(1, 255);
      return sealAgain(old);
    case 'sealed':
      return nonsense(old, random);
  }
}

function randomBytes(random: Random, lengthBytes: number): Uint8Array {
  const bytes = new Uint8Array(lengthBytes);
  for (let i = 0; i < lengthBytes; i++) bytes[i] = random.word();
  return bytes;
}

function damage(bytes: Uint8Array, random: Random): Uint8Array {
  const kept = bytes.slice(0, random.chance(0.3) ? random.integer(0, bytes.length - 1) : bytes.length);
  for (let flips = random.integer(1, 8); flips > 0 && kept.length > 0; flips--)
    kept[random.integer(0, kept.length - 1)]! ^= 1 << random.integer(0, 7);
  return kept;
}

/** A true header; of the rest some bytes are changed, or all of it is replaced, or it is cut short. */
function nonsense(bytes: Uint8Array, random: Random): Uint8Array {
  const room = Math.max(HEADER_BYTES, bytes.length - crcSealer.trailerBytes);
  const bodyBytes = random.chance(0.3) ? random.integer(0, room - HEADER_BYTES) : room - HEADER_BYTES;
  const made = new Uint8Array(HEADER_BYTES + bodyBytes + crcSealer.trailerBytes);
  made.set(bytes.subarray(0, HEADER_BYTES + bodyBytes));
  if (random.chance(0.3)) made.set(randomBytes(random, bodyBytes), HEADER_BYTES);
  else
    for (let changes = random.integer(1, 6); changes > 0 && bodyBytes > 0; changes--)
      made[HEADER_BYTES + random.integer(0, bodyBytes - 1)] = random.pick([0, 1, 0x7f, 0x80, 0xff, random.word()]);
  if (random.chance(0.1)) made[random.integer(4, HEADER_BYTES - 1)] = random.word();
  new DataView(made.buffer).setUint16(RING_HEADER_LENGTH_OFFSET, HEADER_BYTES + bodyBytes, true);
  return sealAgain(made);
}

function sealAgain(bytes: Uint8Array): Uint8Array {
  crcSealer.seal(bytes, 0, bytes.length - crcSealer.trailerBytes);
  return bytes;
}
