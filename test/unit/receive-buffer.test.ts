/** Memory for received bytes follows the bytes received, whatever lengths they announce. */
import { describe, expect, it } from 'vitest';
import { ReceiveBuffer } from '../../client/receive/receive-buffer.ts';
import { ReceiverBench, viewFrame } from './client-frames.ts';

const READ_BYTES = 64 * 1024;

/** Reads `bytes` as from a socket. @returns the largest capacity seen */
function read(input: ReceiveBuffer, bytes: Buffer): number {
  let largest = 0;
  for (let at = 0; at < bytes.length; ) {
    const room = input.room();
    const length = Math.min(room.length, READ_BYTES, bytes.length - at);
    room.set(bytes.subarray(at, at + length));
    input.commit(length);
    at += length;
    largest = Math.max(largest, input.bytes.length);
  }
  return largest;
}

describe('a frame that announces two gigabytes', () => {
  it('gets at most twice the memory of its received bytes', () => {
    const input = new ReceiveBuffer();
    for (const comesTo of [100, 70_000, 600_000, 3_000_000]) {
      const largest = read(input, Buffer.alloc(comesTo - (input.end - input.start)));
      input.need(2 ** 31 - 1);
      input.room();
      expect(largest).toBeLessThanOrEqual(Math.max(512 * 1024, 2 * comesTo));
      expect(input.end - input.start).toBe(comesTo);
    }
  });
});

it('a buffer for a long frame is released once the frame is consumed', () => {
  const input = new ReceiveBuffer();
  const frame = Buffer.alloc(5_000_000, 7);
  read(input, frame);
  expect(input.bytes.subarray(input.start, input.end).equals(frame)).toBe(true);
  input.start = input.end;
  input.room();
  expect(input.bytes.length).toBeLessThanOrEqual(512 * 1024);
});

it.each([4_090, 8_190, 60_000])('a view of %i members is decoded, in pieces of any length', (count) => {
  const members = Array.from({ length: count }, (_, i) => `#m${i}#daemon`);
  const bytes = viewFrame({ group: 'room', members, cause: 'network', vsSets: [members] });
  const bench = new ReceiverBench();
  for (let at = 0; at < bytes.length; at += 200_001) bench.feed(bytes.subarray(at, at + 200_001));
  expect(bench.failure).toBeUndefined();
  expect(bench.events).toHaveLength(1);
  expect(bench.events[0]).toMatchObject({ kind: 'membership', members });
});
