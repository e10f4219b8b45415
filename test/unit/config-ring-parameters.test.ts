import { describe, expect, it } from 'vitest';
import { buildSegments } from '../../engine/config/build-segments.ts';
import { Findings } from '../../engine/config/config-error.ts';
import type { OptionValues } from '../../engine/config/configuration-options.ts';
import type { DaemonConfiguration } from '../../engine/config/daemon-configuration.ts';
import { completeOptions } from '../../engine/config/option-rules.ts';
import { parseConfig } from '../../engine/config/parse-config.ts';
import { datagramSizes, ringTimeouts, ringWindows, spreadTimeouts } from '../../engine/config/ring-parameters.ts';
import type { RingTimeouts } from '../../engine/host/ring-options.ts';

const LAN = 'Spread_Segment 10.0.0.255 { a 10.0.0.1 b 10.0.0.2 }';
const WAN = `${LAN} Spread_Segment 10.9.0.255 { c 10.9.0.1 }`;

const configuration = (text: string, values: OptionValues = {}): DaemonConfiguration => ({
  segments: buildSegments(parseConfig(text, 'test.conf'), () => null, new Findings()),
  options: completeOptions(values),
});

const NINE = {
  tokenTimeout: 2500,
  hurryTimeout: 1000,
  aliveTimeout: 1,
  joinTimeout: 100,
  repTimeout: 1,
  segTimeout: 1,
  gatherTimeout: 900,
  formTimeout: 625,
  lookupTimeout: 60_000,
};

describe('timers of the ring', () => {
  it('are the recommended ones for a LAN and for a WAN (ring-protocol.md, 3.4)', () => {
    expect(ringTimeouts(configuration(LAN))).toEqual({
      tokenLossMs: 600,
      tokenResendMs: 5,
      joinEveryMs: 30,
      gatherMinMs: 60,
      gatherMaxMs: 300,
      commitMs: 300,
      commitResendMs: 20,
      probeEveryMs: 1000,
      probeIdleMs: 10_000,
      mergeNotBeforeMs: 1000,
      idleHoldMaxMs: 100,
    });
    expect(ringTimeouts(configuration(WAN))).toMatchObject({
      tokenLossMs: 4000,
      tokenResendMs: 150,
      joinEveryMs: 200,
      gatherMinMs: 400,
      gatherMaxMs: 2000,
      commitMs: 2000,
      commitResendMs: 200,
      probeEveryMs: 10_000,
    });
  });

  it('follow the profile by name', () => {
    expect(ringTimeouts(configuration(WAN, { ringProfile: 'lan' }))).toEqual(ringTimeouts(configuration(LAN)));
    const fast = ringTimeouts(configuration(LAN, { ringProfile: 'fast' }));
    expect(fast.tokenLossMs).toBe(150);
    expect(fast.tokenLossMs + fast.gatherMaxMs + fast.commitMs).toBeLessThan(1000);
  });

  it("follow Spread's nine when the file sets them", () => {
    expect(ringTimeouts(configuration(LAN, NINE))).toEqual({
      tokenLossMs: 2500,
      tokenResendMs: 10, // twice the LAN's, like the hurry timer
      joinEveryMs: 100,
      gatherMinMs: 200,
      gatherMaxMs: 900,
      commitMs: 625,
      commitResendMs: 10, // half, like the form timer
      probeEveryMs: 2000, // twice, like the lookup timer
      probeIdleMs: 60_000,
      mergeNotBeforeMs: 1000,
      idleHoldMaxMs: 1000,
    });
  });

  it('give the token time to return, however short they are set', () => {
    const timeouts = ringTimeouts(configuration(WAN, { ...NINE, tokenTimeout: 10 }));
    expect(timeouts.tokenLossMs).toBe(150);
    expect(timeouts.tokenResendMs).toBeLessThan(timeouts.tokenLossMs / 2);
    expect(timeouts.idleHoldMaxMs).toBeLessThanOrEqual(timeouts.tokenLossMs / 2);
  });

  it('send JOINs less often in rings of many daemons', () => {
    const hosts = Array.from({ length: 128 }, (_, i) => `h${i} 10.0.0.${i}`).join('\n');
    expect(ringTimeouts(configuration(`Spread_Segment 10.0.0.255 { ${hosts} }`))).toMatchObject({
      joinEveryMs: 256,
      gatherMinMs: 512,
      gatherMaxMs: 768,
    });
  });

  it('scale together', () => {
    const plain = ringTimeouts(configuration(LAN));
    const stretched = ringTimeouts(configuration(LAN, { timeScale: 3 }));
    for (const key of Object.keys(plain) as (keyof RingTimeouts)[]) expect(stretched[key], key).toBe(plain[key] * 3);
    const least = Math.min(...Object.values(ringTimeouts(configuration(LAN, { timeScale: 0.01 }))));
    expect(least).toBe(1);
  });
});

describe("Spread's own timers", () => {
  it('are the LAN or WAN defaults, or what the file sets', () => {
    expect(Object.values(spreadTimeouts(configuration(LAN)))).toEqual([
      1250, 500, 250, 250, 625, 500, 1250, 1250, 30_000,
    ]);
    expect(Object.values(spreadTimeouts(configuration(WAN)))).toEqual([
      5000, 1500, 250, 250, 1250, 500, 2500, 2500, 45_000,
    ]);
    expect(spreadTimeouts(configuration(WAN, NINE))).toEqual(NINE);
  });
});

describe('windows of the ring', () => {
  it('accelerate on a LAN unless told otherwise, and keep their size where they do not', () => {
    const base = { window: 160, personalWindow: 20 };
    expect(ringWindows(configuration(LAN))).toEqual({ ...base, acceleratedWindow: 15, acceleratedRing: true });
    expect(ringWindows(configuration(WAN))).toEqual({ ...base, acceleratedWindow: 15, acceleratedRing: false });
    expect(ringWindows(configuration(WAN, { acceleratedRing: true }))).toMatchObject({ acceleratedRing: true });
    expect(ringWindows(configuration(LAN, { acceleratedRing: false }))).toMatchObject({ acceleratedRing: false });
  });

  it('shrink with the larger ones when not set themselves', () => {
    expect(ringWindows(configuration(LAN, { window: 8 }))).toMatchObject({
      window: 8,
      personalWindow: 8,
      acceleratedWindow: 8,
    });
    expect(ringWindows(configuration(LAN, { personalWindow: 4, acceleratedWindow: 9 }))).toMatchObject({
      acceleratedWindow: 4,
    });
  });
});

describe('datagrams of the ring', () => {
  const LOOPBACK = 'Spread_Segment 127.0.0.255 { a 127.0.0.1 b 127.0.0.2 }';

  it('begin short on a LAN and grow once long ones pass', () => {
    expect(datagramSizes(configuration(LAN))).toEqual({ datagramBytes: 1400, longDatagramBytes: 16_000 });
  });

  it('stay short between sites, where IP fragments may not pass', () => {
    expect(datagramSizes(configuration(WAN))).toEqual({ datagramBytes: 1400, longDatagramBytes: 0 });
  });

  it('are long at once on loopback', () => {
    expect(datagramSizes(configuration(LOOPBACK))).toEqual({ datagramBytes: 64_000, longDatagramBytes: 0 });
  });

  it('have the size in the option, wherever the daemons are', () => {
    for (const text of [LAN, WAN, LOOPBACK]) {
      const sizes = datagramSizes(configuration(text, { datagramSize: 8900 }));
      expect(sizes).toEqual({ datagramBytes: 8900, longDatagramBytes: 0 });
    }
  });
});
