/** The token: its codec, its rotation in an idle ring of three, and the cost of an ordered message for all three together. */
import { readToken, Token, writeToken } from '../../../engine/wire/ring-token.ts';
import { makeRuns } from '../frames.ts';
import { MemoryRing } from '../memory-ring.ts';
import type { MicroFamily, MicroRow } from '../micro-row.ts';
import { EndlessSource } from '../record-sources.ts';

const NODES = 3;
const STEPS = 256;
const MESSAGES = 4096;

/** @param requests retransmission requests in the token */
function codec(requests: number): MicroRow {
  const token = new Token(NODES);
  for (let i = 0; i < requests; i++) token.addRequest(0, 0, i % NODES, 100 + i * 10, 3);
  const copy = new Token(NODES);
  const bytes = new Uint8Array(2048);
  return {
    kind: 'loop',
    title: `write and read a token with ${requests} requests`,
    operations: STEPS,
    bytesPerOperation: null,
    run() {
      for (let i = 0; i < STEPS; i++) {
        token.hop++;
        if (!readToken(copy, bytes, 0, writeToken(bytes, 0, token))) throw new Error('the token was not understood');
      }
    },
  };
}

function idleRotation(): MicroRow {
  const ring = new MemoryRing(
    Array.from({ length: NODES }, () => new EndlessSource(new Uint8Array(0))),
    1400,
  );
  ring.form();
  return {
    kind: 'loop',
    title: 'one rotation of an idle ring of three (3 datagrams)',
    operations: STEPS,
    bytesPerOperation: null,
    run: () => ring.rotate(STEPS),
  };
}

function ordered(payloadBytes: number, framesPerRun: number, datagramBytes: number): MicroRow {
  const records = makeRuns(Math.ceil(64 / framesPerRun), framesPerRun, payloadBytes);
  const ring = new MemoryRing(
    Array.from({ length: NODES }, () => new EndlessSource(records)),
    datagramBytes,
  );
  ring.form();
  return {
    kind: 'loop',
    title: `order a message of ${payloadBytes} B at all three, ${datagramBytes.toLocaleString('en')} B datagrams`,
    operations: MESSAGES,
    bytesPerOperation: payloadBytes,
    run: () => ring.deliver(MESSAGES),
  };
}

export const tokenFamily: MicroFamily = {
  id: 'token',
  title: 'token step; ring of three in memory, virtual clock',
  prepare: () => ({
    rows: [
      codec(0),
      codec(30),
      idleRotation(),
      ordered(256, 32, 1400),
      ordered(256, 32, 65_000),
      ordered(8192, 4, 65_000),
    ],
  }),
};
