/** Skein's addition to the client protocol occurs nowhere in the original: in no recorded trace and in no constant of its headers. */
import { describe, expect, it } from 'vitest';
import { CONNECT_TAKES_NOTICES } from '../../engine/wire/connect-flags.ts';
import { CONNECT_FLAGS_OFFSET } from '../../engine/wire/layout/connect-request.ts';
import { NOTICE_MESS } from '../../engine/wire/service.ts';
import { loadCapture, readClientFrames, sessionCaptureNames, splitCapture } from '../unit/client-captures.ts';
import { read } from '../unit/support/source-files.ts';

describe.each(sessionCaptureNames)('capture %s', (name) => {
  const { connect, clientFrames, daemonFrames } = splitCapture(loadCapture(name));

  it('has no CONNECT that takes notices', () => {
    expect(connect[CONNECT_FLAGS_OFFSET]! & CONNECT_TAKES_NOTICES).toBe(0);
  });

  it('has no frame with the bit of notices, either way', () => {
    for (const stream of [clientFrames, daemonFrames])
      for (const { bits } of readClientFrames(stream)) expect(bits & NOTICE_MESS).toBe(0);
  });
});

describe('the constants of the original', () => {
  /** The table of client-protocol.md, 3.1: every name in the original's headers with its value. */
  const table = read('docs/protocol/client-protocol.md').split('### 3.1 Bits of `type`')[1]!.split('###')[0]!;
  const rows = table.split('\n').filter((line) => /^\| .*0x[0-9a-f]{8}/.test(line));

  it('do not have the bit of notices', () => {
    expect(rows.length).toBeGreaterThan(20);
    const values = rows
      .filter((row) => !row.startsWith('| NOTICE_MESS |'))
      .flatMap((row) => [...row.split('|')[2]!.matchAll(/0x[0-9a-f]{8}/g)].map(([hex]) => Number(hex)));
    for (const value of values) expect(value & NOTICE_MESS, `0x${value.toString(16)}`).toBe(0);
    expect(rows.some((row) => row.startsWith('| NOTICE_MESS |') && row.includes('0x02000000'))).toBe(true);
  });
});
