/** The small parts of the soak: names as numbers, hashes of frames, the verdict on memory. */
import { describe, expect, test } from 'vitest';
import { hashFrame } from './driver/frame-hash.ts';
import { judgeMemory, type MemorySample } from './memory.ts';
import { NAMES_PER_CLIENT, readGroup, readPrivateName, soakShape, userName } from './shape.ts';

const MIB = 1024 * 1024;

describe('names', () => {
  test('every name goes to bytes and back', () => {
    for (let name = 0; name < 502 * NAMES_PER_CLIENT; name++)
      expect(readPrivateName(Buffer.from(`#${userName(name)}#daemon\0\0`), 0)).toBe(name);
  });

  test.each(['#e1#d\0', '#a#d\0', '#ax#d\0', 'room\0', '#a1\0\0\0\0\0\0\0', '#a12345678#d\0'])(
    '%s is none of ours',
    (text) => {
      expect(readPrivateName(Buffer.from(text), 0)).toBe(-1);
      expect(readGroup(Buffer.from(text), 0)).toBe(-1);
    },
  );

  test.each([8, 20, 100, 2_000])('a shape of %i groups has homes and favourites among them', (groups) => {
    const { homes, witnessedGroups, hotGroups } = soakShape(10, groups);
    expect(homes).toBeLessThan(witnessedGroups);
    expect(witnessedGroups).toBeLessThan(groups);
    for (const group of hotGroups) expect(group < groups && group >= homes).toBe(true);
    expect(new Set(hotGroups).size).toBe(hotGroups.length);
  });
});

test('the hash of a frame depends on every byte that a daemon must pass on', () => {
  const frame = new Uint8Array(48 + 64 + 7);
  const view = new DataView(frame.buffer);
  const hash = (type = 16, messageType = 3): number => hashFrame(frame, view, 48, 2, 7, type, messageType);
  const before = hash();
  const passedOn = [...Array(frame.length).keys()].filter((i) => (i >= 4 && i < 36) || i >= 48);
  for (const i of passedOn) {
    frame[i] ^= 1;
    expect(hash(), `byte ${i}`).not.toBe(before);
    frame[i] ^= 1;
  }
  expect(hash()).toBe(before);
  expect(hash(32)).not.toBe(before);
  expect(hash(16, 4)).not.toBe(before);
});

describe('memory', () => {
  const samples = (bytesAt: (minute: number) => number): MemorySample[] =>
    Array.from({ length: 601 }, (_, i) => ({ atMs: i * 1000, residentBytes: bytesAt(i / 60) }));

  test('a heap that swings is flat', () => {
    const verdict = judgeMemory(
      samples((minute) => (100 + 15 * Math.sin(minute * 9)) * MIB),
      60_000,
      95 * MIB,
    );
    expect(verdict.flat).toBe(true);
    expect(Math.abs(verdict.slopePerMinute)).toBeLessThan(MIB);
  });

  test('growth during warm-up does not count', () => {
    const verdict = judgeMemory(
      samples((minute) => (minute < 1 ? 20 + 80 * minute : 100) * MIB),
      60_000,
      100 * MIB,
    );
    expect(verdict).toMatchObject({ flat: true, firstQuarterBytes: 100 * MIB, lastQuarterBytes: 100 * MIB });
  });

  test('a leak of six megabytes a minute is found', () => {
    const verdict = judgeMemory(
      samples((minute) => (100 + 6 * minute) * MIB),
      60_000,
      100 * MIB,
    );
    expect(verdict.flat).toBe(false);
    expect(verdict.slopePerMinute / MIB).toBeCloseTo(6, 1);
  });

  test('a verdict needs three minutes', () => {
    expect(
      judgeMemory(samples((minute) => (100 + 60 * minute) * MIB).slice(0, 200), 60_000, 300 * MIB).flat,
    ).toBeNull();
  });

  test('memory that grows after all clients disconnect is found', () => {
    expect(
      judgeMemory(
        samples(() => 100 * MIB),
        60_000,
        180 * MIB,
      ).flat,
    ).toBe(false);
  });
});
