/**
 * The start of every payload, little-endian:
 *
 *     off size field
 *      0   4   run       number of the run, to recognise stray messages of earlier runs
 *      4   4   sender    index of the sending connection
 *      8   4   sequence  per sender and group, 0-based
 *     12   4   group     index of the group
 *     16   8   due       when the message was due, monotonic ms (open-loop runs only)
 *
 * The rest is filler.
 */
export const PAYLOAD_RUN = 0;
export const PAYLOAD_SENDER = 4;
export const PAYLOAD_SEQUENCE = 8;
export const PAYLOAD_GROUP = 12;
export const PAYLOAD_DUE = 16;
const MIN_PAYLOAD_BYTES = 24;

/** A payload of `lengthBytes` with its constant fields set. */
export function makePayload(lengthBytes: number, run: number, sender: number, group: number): Uint8Array {
  if (lengthBytes < MIN_PAYLOAD_BYTES) {
    throw new RangeError(`payload of ${lengthBytes} bytes is below the minimum of ${MIN_PAYLOAD_BYTES}`);
  }
  const bytes = new Uint8Array(lengthBytes);
  for (let i = MIN_PAYLOAD_BYTES; i < lengthBytes; i++) bytes[i] = 0x61 + (i % 26);
  const view = new DataView(bytes.buffer);
  view.setUint32(PAYLOAD_RUN, run, true);
  view.setUint32(PAYLOAD_SENDER, sender, true);
  view.setUint32(PAYLOAD_GROUP, group, true);
  return bytes;
}
