/** What daemons say to each other about a probe, as JSON in the order of messages. All of it is checked: any holder of the cluster's key could say it. */
import { z } from 'zod';

const time = z.number().min(0).max(Number.MAX_SAFE_INTEGER);
const count = z.int().min(0);
const name = z.string().min(1).max(32);
const id = z.int().min(1);

const receivers = z.strictObject({
  count,
  waitingBytes: count,
  slowest: z.array(z.strictObject({ name: z.string().max(32), waitingBytes: count, behindMs: count })).max(8),
});

const flight = z.strictObject({
  ringSeq: count,
  receivedAt: time.nullable(),
  stableAt: time.nullable(),
  deliveredAt: time.nullable(),
  visits: z.array(z.strictObject({ hop: count, at: time, seq: count, aru: count, holder: count })).max(64),
  standstills: z.array(z.strictObject({ from: time, to: time })).max(16),
});

const word = z.discriminatedUnion('say', [
  z.strictObject({ say: z.literal('probe'), id, group: name }),
  /** Whoever knows of the probe tells. */
  z.strictObject({ say: z.literal('ask'), id, ringSeq: count, seq: count, fromHop: count }),
  z.strictObject({
    say: z.literal('tell'),
    id,
    /** The daemon that asked. */
    to: name,
    /** When it was asked, and when it said this. */
    heardAt: time,
    saidAt: time,
    deliveredAt: time.nullable(),
    receivers: receivers.nullable(),
    flight,
  }),
]);

export type PeerWord = z.infer<typeof word>;
export type Tell = Extract<PeerWord, { readonly say: 'tell' }>;

/** Null: it is none. */
export function readWord(text: string): PeerWord | null {
  try {
    return word.parse(JSON.parse(text));
  } catch {
    return null;
  }
}
