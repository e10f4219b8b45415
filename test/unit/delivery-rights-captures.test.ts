/** Bytes of genuine clients under `AccessFile` rules: allowed, they are served as without rules; refused, all come back. */
import { describe, expect, it } from 'vitest';
import { connectBytes } from '../e2e/support/wire-client.ts';
import { isMessage, JOIN, KILL, LEAVE } from '../e2e/support/wire-frames.ts';
import { loadCapture, readClientFrames, sessionCaptureNames, splitCapture } from './client-captures.ts';
import { MemoryDaemon } from './memory-daemon.ts';
import { CAUSED_BY_JOIN, type Received, SERVICES, setRights, split } from './support/rights-daemon.ts';

describe('bytes of genuine clients', () => {
  // Without captures that end the connection under any rules.
  const ILLEGAL = /^(40|41|43|45|46|47)-/;

  /** Without the KILL at the end, after which nothing is delivered. */
  const captures = sessionCaptureNames
    .filter((name) => !ILLEGAL.test(name))
    .map((name) => {
      const { authChoice, clientFrames } = splitCapture(loadCapture(name));
      const all = readClientFrames(clientFrames);
      const kill = all.findIndex(({ bits }) => (bits & KILL) !== 0);
      const frames = kill === -1 ? all : all.slice(0, kill);
      const lengthBytes = frames.reduce((sum, { canonical }) => sum + canonical.length, 0);
      return { name, authChoice, frames, bytes: clientFrames.subarray(0, lengthBytes) };
    })
    .filter(({ frames }) => frames.length > 0);
  type Capture = (typeof captures)[number];

  async function replay({ authChoice, frames, bytes }: Capture, text: string | null) {
    const [, user, daemonName] = frames[0]!.sender.split('#') as [string, string, string];
    const configText = `Spread_Segment 127.0.0.255:4803 { ${daemonName} 127.0.0.1 }`;
    const daemon = await MemoryDaemon.start({ configText, name: daemonName });
    setRights(daemon, text);
    const client = daemon.connect(user);
    // The client asks for the name that the recording's daemon invented, so that the sender of the frames is right.
    client.transport.send(Buffer.concat([connectBytes(user, true), authChoice]));
    daemon.settle();
    client.take();
    client.transport.send(bytes);
    daemon.settle();
    expect(client.transport.isClosed).toBe(false);
    return { daemon, bytes: client.take() };
  }

  it('are of every kind', () => {
    const frames = captures.flatMap((capture) => capture.frames);
    const kinds = new Set(frames.map(({ bits }) => bits & 0x7_003f));
    expect([...Object.values(SERVICES), JOIN, LEAVE].filter((bit) => !kinds.has(bit))).toEqual([]);
    expect(frames.some(({ groups }) => groups.length > 1)).toBe(true);
    expect(frames.some(({ groups }) => groups[0]?.startsWith('#'))).toBe(true);
  });

  describe.each(captures.map((capture) => [capture.name, capture] as const))('%s', (_, capture) => {
    it('is served as without rules when everything is allowed', async () => {
      const without = await replay(capture, null);
      const withRights = await replay(capture, 'unix join * send * private');
      // Numbers of views differ from daemon to daemon.
      const plain = ({ frames, rejects }: Received) => [
        ...frames.map((frame) => ({ ...frame, data: isMessage(frame) ? frame.data.toString('latin1') : '' })),
        ...rejects,
      ];
      expect(plain(split(withRights.bytes))).toEqual(plain(split(without.bytes)));
      expect(withRights.daemon.count('FramesReceived')).toBe(without.daemon.count('FramesReceived'));
    });

    it('gets every request back when nothing is allowed', async () => {
      const { bytes } = await replay(capture, 'unix admin');
      const asked = capture.frames.filter(({ bits, groups }) => (bits & LEAVE) === 0 && groups.length > 0);
      expect(split(bytes).rejects.map(({ oldType, groups, data }) => [oldType, groups, data])).toEqual(
        asked.map(({ bits, groups, data }) => [
          ((bits & JOIN) !== 0 ? (bits & ~JOIN) | CAUSED_BY_JOIN : bits) >>> 0,
          groups.slice(0, 99),
          data.toString('latin1'),
        ]),
      );
    });
  });
});
