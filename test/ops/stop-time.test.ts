/** Whoever starts the daemon waits for as long as it may take to end: service managers, and the constants that they are made of. */
import { describe, expect, it } from 'vitest';
import { DEFAULT_DRAIN_TIMEOUT_MS } from '../../daemon/daemon-end.ts';
import { DEFAULT_OPTIONS } from '../../engine/config/configuration-options.ts';
import { CLOSE_TIMEOUT_MS } from '../../workers/supervisor.ts';
import { read } from '../unit/support/source-files.ts';

/** The ring agent is closed first, then all threads. */
const CLOSES = 2;
/** Node starts to end, and the log is written. */
const RESERVE_MS = 1000;

const seconds = (path: string, pattern: RegExp): number => {
  const found = pattern.exec(read(path));
  if (found === null) throw new Error(`${path} has nothing like ${pattern}`);
  return Number(found[1]);
};

describe('the longest end of a daemon with default options', () => {
  const longestMs = DEFAULT_OPTIONS.drainTime + DEFAULT_DRAIN_TIMEOUT_MS + CLOSES * CLOSE_TIMEOUT_MS + RESERVE_MS;

  it.each([
    ['ops/systemd/skein.service', /^TimeoutStopSec=(\d+)s$/m],
    ['ops/kubernetes/skein.yaml', /^ *terminationGracePeriodSeconds: (\d+)$/m],
  ])('is within the patience of %s', (path, pattern) => {
    expect(seconds(path, pattern) * 1000).toBeGreaterThanOrEqual(longestMs);
  });

  it('is that of the command line as well', () => {
    expect(seconds('cli/start.ts', /\.default\((\d+)\),\n *\)\n *\.option\('--json'/)).toBe(DEFAULT_DRAIN_TIMEOUT_MS);
  });

  it('is what the files in ops/ set: none has times of its own', () => {
    expect(read('ops/spread.conf')).not.toMatch(/DrainTime/i);
  });
});
