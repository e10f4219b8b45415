/** systemd accepts the unit, rates it as well confined, and waits long enough for a stop. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { checkConfiguration } from './check-configuration.ts';

const UNIT = fileURLToPath(new URL('../../ops/systemd/skein.service', import.meta.url));

/** Tenths, from 0 (confined) to 100 (may do everything). */
const HIGHEST_EXPOSURE_TENTHS = 20;

const analyze = (...args: readonly string[]) => spawnSync('systemd-analyze', args, { encoding: 'utf8' });
const hasSystemd = analyze('--version').error === undefined;

describe.skipIf(!hasSystemd)('ops/systemd/skein.service, by systemd-analyze', () => {
  it('is valid', () => {
    const { status, stderr } = analyze('verify', UNIT);
    expect(stderr).not.toContain('skein.service');
    expect(status).toBe(0);
  });

  it('confines the daemon', () => {
    const threshold = `--threshold=${HIGHEST_EXPOSURE_TENTHS}`;
    const { status, stdout, stderr } = analyze('security', '--offline=true', threshold, '--no-pager', UNIT);
    expect(status, `${stdout}${stderr}`).toBe(0);
  });
});

describe('ops/systemd/skein.service', () => {
  const unit = readFileSync(UNIT, 'utf8');
  const setting = (name: string): string | undefined => new RegExp(`^${name}=(.*)$`, 'm').exec(unit)?.[1];

  it('allows the JIT compiler of V8', () => {
    expect(setting('MemoryDenyWriteExecute')).toBeUndefined();
  });

  it('makes the folders that ops/spread.conf names', () => {
    expect(['ConfigurationDirectory', 'StateDirectory', 'LogsDirectory', 'RuntimeDirectory'].map(setting)).toEqual(
      Array(4).fill('skein'),
    );
  });
});

describe('ops/spread.conf', () => {
  const FILES = { 'cluster.keys': null, 'http.tokens': `${'0123456789abcdef'.repeat(4)}\n` };
  const text = readFileSync(fileURLToPath(new URL('../../ops/spread.conf', import.meta.url)), 'utf8');

  it('is accepted without a warning', () => {
    expect(checkConfiguration(text, FILES, 'host-1')).toEqual({ code: 0, said: '' });
  });

  it('uses the folders that the unit makes', () => {
    const folders = [...text.matchAll(/^\w+ *= (\/\S+)/gm)].map(([, path]) => path!);
    expect(folders).not.toEqual([]);
    for (const path of folders) expect(path).toMatch(/^\/(etc|var\/lib|var\/log|run)\/skein(\/|$)/);
  });
});
