/** The recorded traces of test/fixtures/captures, per direction, and a strict reading of what clients sent in them. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { CONNECT_TAKES_NOTICES } from '../../engine/wire/connect-flags.ts';
import { CONNECT_FLAGS_OFFSET } from '../../engine/wire/layout/connect-request.ts';

const directory = fileURLToPath(new URL('../fixtures/captures/', import.meta.url));

export interface Capture {
  readonly name: string;
  /** Chunk borders are accidental, so each direction is one stream. */
  readonly fromClient: Buffer;
  readonly fromDaemon: Buffer;
}

interface CaptureLine {
  readonly dir: 'c2d' | 'd2c';
  readonly hex: string;
}

export function loadCapture(name: string): Capture {
  const lines = readFileSync(`${directory}${name}.jsonl`, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as CaptureLine);
  const stream = (dir: string): Buffer =>
    Buffer.concat(lines.filter((line) => line.dir === dir).map((line) => Buffer.from(line.hex, 'hex')));
  return { name, fromClient: stream('c2d'), fromDaemon: stream('d2c') };
}

const captureNames: readonly string[] = readdirSync(directory)
  .filter((file) => file.endsWith('.jsonl'))
  .map((file) => file.slice(0, -'.jsonl'.length))
  .sort();

/** Captures of a whole session made by a client of the current version. */
export const sessionCaptureNames = captureNames.filter(
  (name) => !/^(04-name-collision\.second|30-|31-|32-|34-|36-|37-|60-)/.test(name),
);

export interface SplitCapture {
  readonly name: string;
  readonly connect: Buffer;
  readonly authChoice: Buffer;
  /** Frames from the client, bytes behind the NUL of names still as the C library left them. */
  readonly clientFrames: Buffer;
  readonly authList: Buffer;
  readonly accept: Buffer;
  readonly daemonFrames: Buffer;
}

/** Takes the handshake off a session's two streams. */
export function splitCapture(capture: Capture): SplitCapture {
  const { fromClient, fromDaemon } = capture;
  const connectLength = 5 + fromClient[4]!;
  const listLength = 1 + fromDaemon[0]!;
  const acceptLength = 5 + fromDaemon[listLength + 4]!;
  return {
    name: capture.name,
    connect: fromClient.subarray(0, connectLength),
    authChoice: fromClient.subarray(connectLength, connectLength + 90),
    clientFrames: fromClient.subarray(connectLength + 90),
    authList: fromDaemon.subarray(0, listLength),
    accept: fromDaemon.subarray(listLength, listLength + acceptLength),
    daemonFrames: fromDaemon.subarray(listLength + acceptLength),
  };
}

/** What this library sends where the C library sent `connect`: it also takes notices (client-protocol.md, 1.3). */
export function withNotices(connect: Buffer): Buffer {
  const ours = Buffer.from(connect);
  ours[CONNECT_FLAGS_OFFSET]! |= CONNECT_TAKES_NOTICES;
  return ours;
}

export interface ClientFrame {
  readonly bits: number;
  readonly sender: string;
  readonly groups: readonly string[];
  readonly messageType: number;
  readonly data: Buffer;
  /** The frame with the bytes behind the NUL of its names zeroed. */
  readonly canonical: Buffer;
}

const nameAt = (bytes: Buffer, offset: number): string => bytes.toString('latin1', offset, offset + 32).split('\0')[0]!;

/** Reads little-endian frames sent by a client; stops at one that is not whole. */
export function readClientFrames(stream: Buffer): ClientFrame[] {
  const frames: ClientFrame[] = [];
  let offset = 0;
  while (stream.length - offset >= 48) {
    const groupCount = stream.readInt32LE(offset + 36);
    const dataLength = stream.readInt32LE(offset + 44);
    const length = 48 + 32 * groupCount + dataLength;
    if (length > stream.length - offset) break;
    const canonical = Buffer.from(stream.subarray(offset, offset + length));
    const nameOffsets = [4, ...Array.from({ length: groupCount }, (_, i) => 48 + 32 * i)];
    for (const at of nameOffsets) canonical.fill(0, at + nameAt(canonical, at).length, at + 32);
    frames.push({
      bits: canonical.readInt32LE(0) & ~0x8000_0080,
      sender: nameAt(canonical, 4),
      groups: nameOffsets.slice(1).map((at) => nameAt(canonical, at)),
      messageType: canonical.readInt16LE(41),
      data: canonical.subarray(48 + 32 * groupCount),
      canonical,
    });
    offset += length;
  }
  return frames;
}

/**
 * The same frames as a big-endian daemon would have written them, membership bodies included; hints stay as they are.
 */
export function toBigEndian(stream: Buffer): Buffer {
  const swapped = Buffer.from(stream);
  let offset = 0;
  while (offset < swapped.length) {
    const type = swapped.readInt32LE(offset) & ~0x8000_0080;
    const groupCount = swapped.readInt32LE(offset + 36);
    const dataLength = swapped.readInt32LE(offset + 44);
    swapped.writeInt32BE(type, offset);
    swapped.writeInt32BE(groupCount, offset + 36);
    swapped.writeInt32BE(dataLength, offset + 44);
    const body = offset + 48 + 32 * groupCount;
    if ((type & 0x3f) === 0 && (type & 0x3000) !== 0) swapBody(swapped, body, body + dataLength);
    offset = body + dataLength;
  }
  return swapped;
}

function swapBody(bytes: Buffer, start: number, end: number): void {
  const swap = (offset: number): number => {
    const value = bytes.readUInt32LE(offset);
    bytes.writeUInt32BE(value, offset);
    return value;
  };
  for (let at = start; at < Math.min(start + 20, end); at += 4) swap(at);
  for (let at = start + 20; at < end; ) at += 4 + 32 * swap(at);
}
