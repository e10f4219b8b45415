/**
 * Every recorded trace of one daemon (test/fixtures/captures, made with unmodified Spread 4.4.0): the clients' bytes are
 * played against our daemon, whose replies must be those of the genuine one. Tests name the deliberate differences.
 */
import { createSocket } from 'node:dgram';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Daemon, startDaemon } from '../../daemon/start-daemon.ts';
import { readName } from '../../engine/wire/frame.ts';
import { CAUSED_BY_JOIN, ENDIAN_FLAG, REJECT_MESS } from '../../engine/wire/service.ts';
import { readCapture, recordedReply } from './capture-file.ts';
import { type PlayOptions, play } from './capture-player.ts';
import { handshakeLength, maskGroupTimes } from './mask-reply.ts';

/** Scenarios whose replies must be the recorded ones, connection by connection. */
const SAME_BYTES: Readonly<Record<string, readonly string[]>> = {
  'connect and quit': ['01-connect-membership-quit'],
  'no membership flag': ['02-connect-no-membership'],
  'name collision': ['04-name-collision.first', '04-name-collision.second'],
  'join, leave, disconnect': ['05-join-leave-disconnect.alice', '05-join-leave-disconnect.bob'],
  'abrupt close': ['06-abrupt-close.alice', '06-abrupt-close.bob'],
  'all services': ['07-services.receiver', '07-services.sender'],
  'self discard': ['08-self-discard.alice', '08-self-discard.bob'],
  'private send': ['10-private-send.alice', '10-private-send.bob'],
  scatter: ['11-scatter.alice'],
  'open group': ['12-open-group.member', '12-open-group.sender'],
  'large message': ['14-large.alice'],
  'flush layer': ['20-flush.alice', '20-flush.bob'],
  'version 3.0 refused': ['30-probe-version-3.0'],
  'version 3.14': ['31-probe-version-3.14-oldclient'],
  'version 3.15': ['32-probe-version-3.15'],
  'version 3.16': ['33-probe-version-3.16'],
  'name too long': ['34-probe-name-too-long'],
  'unknown authentication method': ['36-probe-auth-unknown'],
  'wrong sender': ['40-probe-wrong-sender'],
  'no service bit': ['41-probe-no-service-bit'],
  '101 groups': ['43-probe-101-groups'],
  'oversized data': ['45-probe-oversize'],
  'DROP_RECV passes through': ['46-probe-drop-recv-bit'],
};

const folder = mkdtempSync(join(tmpdir(), 'skein-captures-'));
let daemon: Daemon;

/** Compares what every connection of a scenario received with the recording. */
async function expectSameBytes(files: readonly string[], options: PlayOptions): Promise<void> {
  const lines = readCapture(files);
  const replies = await play(lines, options);
  for (const [connection, file] of files.entries()) {
    const expected = recordedReply(lines, connection);
    const start = file.startsWith('31') || file.startsWith('32') ? expected.length : handshakeLength(expected);
    const actual = replies[connection]!.bytes;
    expect(maskGroupTimes(actual, start).toString('hex'), file).toBe(maskGroupTimes(expected, start).toString('hex'));
  }
}

beforeAll(async () => {
  daemon = await startDaemon({ port: 0, logLevel: 'silent', unixSocketDir: null });
});

afterAll(async () => {
  await daemon.stop();
  rmSync(folder, { recursive: true });
});

describe('recorded traces, same bytes out', () => {
  for (const [title, files] of Object.entries(SAME_BYTES)) {
    it(`${title} (${files.join(', ')})`, () => expectSameBytes(files, { target: { port: daemon.port! } }));
  }

  it('random name (03): same bytes but for the name the daemon invents', async () => {
    const lines = readCapture(['03-connect-random-name']);
    const recordedName = '#r1683-9#localhost';
    const nameIn = (reply: Buffer): string => reply.subarray(11).toString('latin1');
    const rewrite = (bytes: Buffer, received: Buffer): Buffer => {
      const at = bytes.indexOf(recordedName);
      if (at === -1) return bytes;
      const renamed = Buffer.from(bytes);
      for (let i = at; i !== -1; i = renamed.indexOf(recordedName, i + 1)) {
        renamed.fill(0, i, i + 32);
        renamed.write(nameIn(received), i, 'latin1');
      }
      return renamed;
    };
    const shortest = '#r0-0#localhost'.length;
    const [reply] = await play(lines, {
      target: { port: daemon.port! },
      rewrite,
      expectedLength: (recorded) => (recorded <= 6 ? recorded : 11 + shortest),
    });
    expect(reply!.bytes.subarray(0, 10).toString('hex')).toBe('054e554c4c2001040400');
    expect(nameIn(reply!.bytes)).toMatch(/^#r\d{1,4}-\d{1,3}#localhost$/);
    expect(reply!.bytes.readUInt8(10)).toBe(nameIn(reply!.bytes).length);
    expect(reply!.closedByDaemon).toBe(true);
  });

  it('Unix socket (38)', async () => {
    const port = daemon.port! === 4893 ? 4894 : 4893;
    const local = await startDaemon({ port, logLevel: 'silent', unixSocketDir: folder });
    try {
      await expectSameBytes(['38-probe-unix-socket'], { target: { path: join(folder, String(port)) } });
    } finally {
      await local.stop();
    }
    expect(existsSync(join(folder, String(port)))).toBe(false);
  });

  it('IP authentication required, client chooses NULL (50)', async () => {
    const accessIpFile = join(folder, 'spread.access_ip');
    writeFileSync(accessIpFile, 'unix\nlocal\n');
    const guarded = await startDaemon({
      port: 0,
      logLevel: 'silent',
      unixSocketDir: null,
      accessIpFile,
      allowedAuthMethods: 'IP NULL',
      requiredAuthMethods: 'IP',
    });
    try {
      await expectSameBytes(['50-auth-ip-null-list'], { target: { port: guarded.port! } });
    } finally {
      await guarded.stop();
    }
  });

  it('status request of a monitor (60): same header, same fields', async () => {
    const [request, answer] = readCapture(['60-monitor-status-udp']).map((line) => line.bytes!);
    const monitor = createSocket('udp4');
    try {
      await new Promise<void>((resolve) => monitor.bind(0, '127.0.0.1', resolve));
      const ours = Buffer.from(request!);
      ours.writeInt32LE(monitor.address().port, 20);
      const reply = await new Promise<Buffer>((resolve) => {
        monitor.on('message', resolve);
        monitor.send(ours, daemon.port!, '127.0.0.1');
      });
      expect(reply.length).toBe(answer!.length);
      expect(reply.subarray(0, 40).toString('hex')).toBe(answer!.subarray(0, 40).toString('hex'));
      const field = (bytes: Buffer, offset: number): number => bytes.readInt32LE(40 + offset);
      for (const [name, offset] of Object.entries({ state: 4, gstate: 8, retrans: 24, my_id: 60, leader_id: 64 })) {
        expect(field(reply, offset), name).toBe(field(answer!, offset));
      }
      // One daemon, one segment, Spread's windows, version 4.4.0.
      const half = (bytes: Buffer, offset: number): number => bytes.readInt16LE(40 + offset);
      for (const offset of [74, 76, 78, 80, 82, 84, 90, 92, 94]) {
        expect(half(reply, offset), `offset ${offset}`).toBe(half(answer!, offset));
      }
    } finally {
      monitor.close();
    }
  });
});

describe('recorded traces that we answer differently on purpose', () => {
  it('AUTH-CHOICE in pieces (37): the daemon waits, and refuses with the same byte when the rest never comes', async () => {
    const hasty = await startDaemon({ port: 0, logLevel: 'silent', unixSocketDir: null, handshakeTimeout: 300 });
    try {
      await expectSameBytes(['37-probe-auth-short'], { target: { port: hasty.port! } });
    } finally {
      await hasty.stop();
    }
  });

  it('forged membership bits (47) end the connection instead of being delivered', async () => {
    const lines = readCapture(['47-probe-forged-memb-bits']).filter((line) => line.bytes !== null);
    const recorded = recordedReply(lines, 0);
    const frames = frameTypes(recorded);
    const honest = frames.length - 1;
    const [reply] = await play(lines, {
      target: { port: daemon.port! },
      expectedLength: (length) => Math.min(length, frameEnd(recorded, honest)),
    });
    expect(frames[honest]! & 0x1110, 'what the genuine daemon delivered').toBe(0x1110);
    expect(frameTypes(reply!.bytes)).toEqual(frames.slice(0, honest));
    expect(reply!.closedByDaemon).toBe(true);
  });

  it('JOIN of an illegal group name (48) is rejected with a REJECT message', async () => {
    const lines = readCapture(['48-probe-join-unchecked-name']).filter((line) => line.bytes !== null);
    const recorded = recordedReply(lines, 0);
    const start = handshakeLength(recorded);
    const [reply] = await play(lines, {
      target: { port: daemon.port! },
      expectedLength: (length) => Math.min(length, start + 116),
    });
    const reject = reply!.bytes.subarray(start);
    expect(reject.readUInt32LE(0)).toBe((REJECT_MESS | ENDIAN_FLAG) >>> 0);
    expect(reject.readInt32LE(36)).toBe(2);
    expect(reject.readUInt32LE(48)).toBe((CAUSED_BY_JOIN | ENDIAN_FLAG) >>> 0);
    expect(readName(reject, 52)).toBe('a b');
    expect(readName(reject, 84)).toBe(readName(reject, 4));
  });

  it('a message to 100 groups (70) is delivered once to the member of one of them', async () => {
    const lines = readCapture(['70-probe-100-groups-not-delivered']);
    const [reply] = await play(lines, { target: { port: daemon.port! } });
    const recorded = recordedReply(lines, 0);
    const types = frameTypes(reply!.bytes);
    expect(types.length).toBe(frameTypes(recorded).length + 1);
    expect(reply!.bytes.readInt32LE(recorded.length + 36)).toBe(100);
  });
});

/** Types of all frames after the handshake. */
function frameTypes(reply: Buffer): readonly number[] {
  const types: number[] = [];
  for (let at = handshakeLength(reply); at + 48 <= reply.length; at = nextFrame(reply, at))
    types.push(reply.readUInt32LE(at));
  return types;
}

/** Where the first `count` frames end. */
function frameEnd(reply: Buffer, count: number): number {
  let at = handshakeLength(reply);
  for (let i = 0; i < count; i++) at = nextFrame(reply, at);
  return at;
}

const nextFrame = (reply: Buffer, at: number): number =>
  at + 48 + reply.readInt32LE(at + 36) * 32 + reply.readInt32LE(at + 44);
