/** A daemon under `AccessFile` rules, and the frames and refusals of its clients. */
import { parseAccessFile } from '../../../engine/access/access-file.ts';
import {
  AGREED,
  CAUSAL,
  decodeFrame,
  encodeFrame,
  FIFO,
  frameLength,
  type IncomingFrame,
  isMessage,
  RELIABLE,
  SAFE,
  UNRELIABLE,
} from '../../e2e/support/wire-frames.ts';
import { type MemoryClient, MemoryDaemon } from '../memory-daemon.ts';

export const REJECT = 0x40_0000;
export const CAUSED_BY_JOIN = 0x100;
export const SUBGROUP_CAST = 0x4000_0000;
export const SERVICES = { UNRELIABLE, RELIABLE, FIFO, CAUSAL, AGREED, SAFE };
const ENDIAN_FLAG = 0x8000_0080;

interface RejectedFrame {
  readonly type: number;
  /** Without the endian flag. */
  readonly oldType: number;
  readonly sender: string;
  /** Without the last one, which is the originator. */
  readonly groups: readonly string[];
  readonly originator: string | undefined;
  readonly messageType: number;
  readonly data: string;
}

export interface Received {
  readonly frames: readonly IncomingFrame[];
  readonly rejects: readonly RejectedFrame[];
}

/** Everything received since the last call. */
export function received(daemon: MemoryDaemon, client: MemoryClient): Received {
  daemon.settle();
  return split(client.take());
}

export function split(bytes: Buffer): Received {
  const frames: IncomingFrame[] = [];
  const rejects: RejectedFrame[] = [];
  for (let rest = bytes; rest.length > 0; ) {
    const type = (rest.readUInt32LE(0) & ~ENDIAN_FLAG) >>> 0;
    const isReject = (type & REJECT) !== 0;
    // Four bytes with the old type are between the header and the groups.
    const frame = isReject ? Buffer.concat([rest.subarray(0, 48), rest.subarray(52)]) : rest;
    const length = frameLength(frame);
    if (length === 0) throw new Error('a frame is cut');
    const decoded = decodeFrame(frame.subarray(0, length));
    if (isReject) {
      const { sender, messageType } = decoded;
      const oldType = (rest.readUInt32LE(48) & ~ENDIAN_FLAG) >>> 0;
      const groups = decoded.groups.slice(0, -1);
      const data = decoded.data.toString('latin1');
      rejects.push({ type, oldType, sender, groups, originator: decoded.groups.at(-1), messageType, data });
    } else frames.push(decoded);
    rest = rest.subarray(length + (isReject ? 4 : 0));
  }
  return { frames, rejects };
}

export const messages = ({ frames }: Received): readonly string[] =>
  frames.filter(isMessage).map(({ data }) => data.toString('latin1'));

export function setRights(daemon: MemoryDaemon, text: string | null): void {
  const rights = text === null ? null : parseAccessFile(text, 'rules').rules;
  daemon.delivery.prepare({ delivery: { ...daemon.spec.delivery, rights } })();
}

export async function daemonWith(text: string | null): Promise<MemoryDaemon> {
  const daemon = await MemoryDaemon.start();
  setRights(daemon, text);
  return daemon;
}

export const MAY_SEND_OPEN = 'anyone join * send open* $start private bob';

/** Alice sends, bob is in every group that the tests send to. */
export async function aliceAndBob(text = MAY_SEND_OPEN, ...groups: readonly string[]) {
  const daemon = await daemonWith(text);
  const alice = daemon.login('alice');
  const bob = daemon.login('bob');
  for (const group of ['open', 'closed', ...groups]) bob.join(group);
  received(daemon, bob);
  const send = (frame: Omit<Parameters<typeof encodeFrame>[0], 'sender'>): void =>
    alice.transport.send(encodeFrame({ sender: alice.privateName, ...frame }));
  return { daemon, alice, bob, send };
}
