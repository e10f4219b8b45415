/** Options of the file -> timers and windows of the ring (ring-protocol.md, sections 2.9 and 3.4). */
import type { RingTimeouts, RingWindows } from '../host/ring-options.ts';
import type { RingProfile, SpreadTimeouts } from './configuration-options.ts';
import { allHosts, type DaemonConfiguration, isWideArea } from './daemon-configuration.ts';
import { isLoopback } from './ipv4.ts';

/** Shorter, and a pause of the garbage collector looks like a lost token. */
export const MIN_TOKEN_LOSS_MS = 150;

/** The option, else by the addresses. */
const isWide = ({ segments, options }: DaemonConfiguration): boolean => options.wideAreaNetwork ?? isWideArea(segments);

/**
 * `lan` and `wan` are the recommended timers; a WAN idles in the ratio that Spread's own hurry timers have.
 * `fast` detects and repairs a crash well below a second, for machines that never pause long.
 */
const PROFILES: Readonly<Record<RingProfile, RingTimeouts>> = {
  lan: {
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
  },
  wan: {
    tokenLossMs: 4000,
    tokenResendMs: 150,
    joinEveryMs: 200,
    gatherMinMs: 400,
    gatherMaxMs: 2000,
    commitMs: 2000,
    commitResendMs: 200,
    probeEveryMs: 10_000,
    probeIdleMs: 10_000,
    mergeNotBeforeMs: 1000,
    idleHoldMaxMs: 300,
  },
  fast: {
    tokenLossMs: MIN_TOKEN_LOSS_MS,
    tokenResendMs: 5,
    joinEveryMs: 10,
    gatherMinMs: 20,
    gatherMaxMs: 100,
    commitMs: 100,
    commitResendMs: 10,
    probeEveryMs: 250,
    probeIdleMs: 2000,
    mergeNotBeforeMs: 250,
    idleHoldMaxMs: 30,
  },
};

const SPREAD_LAN: SpreadTimeouts = {
  tokenTimeout: 1250,
  hurryTimeout: 500,
  aliveTimeout: 250,
  joinTimeout: 250,
  repTimeout: 625,
  segTimeout: 500,
  gatherTimeout: 1250,
  formTimeout: 1250,
  lookupTimeout: 30_000,
};

const SPREAD_WAN: SpreadTimeouts = {
  tokenTimeout: 5000,
  hurryTimeout: 1500,
  aliveTimeout: 250,
  joinTimeout: 250,
  repTimeout: 1250,
  segTimeout: 500,
  gatherTimeout: 2500,
  formTimeout: 2500,
  lookupTimeout: 45_000,
};

/** Spread's nine timers as Spread would run with them: those of the file, else its LAN or WAN defaults. */
export const spreadTimeouts = ({ segments, options }: DaemonConfiguration): SpreadTimeouts =>
  options.timeouts ?? (isWide({ segments, options }) ? SPREAD_WAN : SPREAD_LAN);

/** The ring's timers for a configuration. Every one is a whole number of milliseconds, at least 1. */
export function ringTimeouts(configuration: DaemonConfiguration): RingTimeouts {
  const { segments, options } = configuration;
  const wide = isWide(configuration);
  const base =
    options.timeouts === null
      ? PROFILES[options.ringProfile ?? (wide ? 'wan' : 'lan')]
      : fromSpread(options.timeouts, wide ? PROFILES.wan : PROFILES.lan, wide ? SPREAD_WAN : SPREAD_LAN);
  return scaleTimeouts(withRoomForJoins(base, allHosts(segments).length), options.timeScale);
}

/**
 * Timers that have a counterpart take its value. The others keep their ratio to the timer they serve. Alive, Rep and
 * Seg belong to Spread's election of segment representatives, which this ring does not have.
 */
function fromSpread(given: SpreadTimeouts, profile: RingTimeouts, spread: SpreadTimeouts): RingTimeouts {
  const tokenLossMs = Math.max(MIN_TOKEN_LOSS_MS, given.tokenTimeout);
  const hurry = given.hurryTimeout / spread.hurryTimeout;
  const form = given.formTimeout / spread.formTimeout;
  const lookup = given.lookupTimeout / spread.lookupTimeout;
  return {
    tokenLossMs,
    // Several resends must fit before the loss, and an idle token must come back in time.
    tokenResendMs: Math.min(profile.tokenResendMs * hurry, tokenLossMs / 4),
    joinEveryMs: given.joinTimeout,
    gatherMinMs: 2 * given.joinTimeout,
    gatherMaxMs: given.gatherTimeout,
    commitMs: given.formTimeout,
    commitResendMs: profile.commitResendMs * form,
    probeEveryMs: Math.min(profile.probeEveryMs * lookup, given.lookupTimeout),
    probeIdleMs: given.lookupTimeout,
    mergeNotBeforeMs: profile.mergeNotBeforeMs,
    idleHoldMaxMs: Math.min(given.hurryTimeout, tokenLossMs / 2),
  };
}

/** With unicast fan-out JOIN traffic grows with the square of the daemons, so it is sent less often. */
function withRoomForJoins(timeouts: RingTimeouts, daemonCount: number): RingTimeouts {
  const joinEveryMs = Math.max(timeouts.joinEveryMs, 2 * daemonCount);
  return {
    ...timeouts,
    joinEveryMs,
    gatherMinMs: 2 * joinEveryMs,
    gatherMaxMs: Math.max(timeouts.gatherMaxMs, 3 * joinEveryMs),
  };
}

/** All timers stretched by one factor: for slow machines and for the simulator. */
function scaleTimeouts(timeouts: RingTimeouts, factor: number): RingTimeouts {
  const scaled = (ms: number): number => Math.max(1, Math.round(ms * factor));
  return {
    tokenLossMs: scaled(timeouts.tokenLossMs),
    tokenResendMs: scaled(timeouts.tokenResendMs),
    joinEveryMs: scaled(timeouts.joinEveryMs),
    gatherMinMs: scaled(timeouts.gatherMinMs),
    gatherMaxMs: scaled(timeouts.gatherMaxMs),
    commitMs: scaled(timeouts.commitMs),
    commitResendMs: scaled(timeouts.commitResendMs),
    probeEveryMs: scaled(timeouts.probeEveryMs),
    probeIdleMs: scaled(timeouts.probeIdleMs),
    mergeNotBeforeMs: scaled(timeouts.mergeNotBeforeMs),
    idleHoldMaxMs: scaled(timeouts.idleHoldMaxMs),
  };
}

/** Flow control of the ring. Acceleration is on by default on a LAN with several daemons. */
export function ringWindows(configuration: DaemonConfiguration): RingWindows {
  const { segments, options } = configuration;
  const acceleratedRing = options.acceleratedRing ?? (!isWide(configuration) && allHosts(segments).length > 1);
  return {
    window: options.window,
    personalWindow: options.personalWindow,
    // Kept on a ring that is not accelerated, and without effect there: a status report shows it, as Spread's does.
    acceleratedWindow: Math.min(options.acceleratedWindow, options.personalWindow),
    acceleratedRing,
  };
}

/** What the largest option `DatagramSize` may be: UDP has room for 65,507. */
export const LARGEST_DATAGRAM_BYTES = 65_000;
/** Below every usual path's limit, with room for what tunnels add. */
const SAFE_DATAGRAM_BYTES = 1400;
/** Eleven pieces on an MTU of 1,500. Longer ones gain little more, and each is lost when one of its pieces is. */
const LONG_DATAGRAM_BYTES = 16_000;
/** Loopback takes 65,536. A few of them fill a receive buffer of the usual size, and still they are faster than more smaller ones. */
const LOOPBACK_DATAGRAM_BYTES = 64_000;

export interface DatagramSizes {
  /** What the ring begins with. */
  readonly datagramBytes: number;
  /** The size used once it is known to pass (engine/ring/path-size.ts); 0: nothing else. */
  readonly longDatagramBytes: number;
}

/**
 * Largest datagrams of the ring: the option, else by where the daemons are. Pieces of IP are for one LAN, not for the way to another site.
 */
export function datagramSizes({ segments, options }: DaemonConfiguration): DatagramSizes {
  if (options.datagramSize !== null) return { datagramBytes: options.datagramSize, longDatagramBytes: 0 };
  if (allHosts(segments).every((host) => isLoopback(host.address)))
    return { datagramBytes: LOOPBACK_DATAGRAM_BYTES, longDatagramBytes: 0 };
  return {
    datagramBytes: SAFE_DATAGRAM_BYTES,
    longDatagramBytes: isWide({ segments, options }) ? 0 : LONG_DATAGRAM_BYTES,
  };
}
