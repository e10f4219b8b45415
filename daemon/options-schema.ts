/**
 * The one schema for options, wherever they come from: values of a spread.conf file (`readFileOptions` turns them into
 * the same shapes) and the typed options of the embedding API.
 *
 * The message of every check is the limit alone, such as `an integer from 1 to 64`; `options-resolve.ts` puts field,
 * value and position in front. Rules between options are in engine/config/option-rules.ts.
 */
import { z } from 'zod';
import { DAEMON_NAME_LIMIT, isUsableDaemonName } from '../engine/config/daemon-name.ts';
import { ipv4ToNumber } from '../engine/config/ipv4.ts';
import {
  DEBUG_FLAGS,
  DEFAULT_TIME_STAMP_FORMAT,
  EVENT_PRIORITIES,
  LINK_PROTOCOLS,
  LOG_LEVELS,
  type OptionInputs,
  type OptionKey,
  type OptionValues,
  RING_PROFILES,
  SLOW_CONSUMER_POLICIES,
  SOCKET_PORT_REUSES,
  THREADING_MODES,
  TRANSPORTS,
} from '../engine/config/options.ts';
import { LARGEST_DATAGRAM_BYTES } from '../engine/config/ring-settings.ts';

/** What `startDaemon` takes. Every option is optional; what is given here overrides the file. */
export interface DaemonOptions extends OptionInputs {
  /** Path of a spread.conf file. With neither this nor `configText`: alone, on loopback. */
  readonly configFile?: string | undefined;
  /** The text of a configuration itself, instead of a file. */
  readonly configText?: string | undefined;
  /** Which entry of the configuration this daemon is; without a configuration, its name (default `localhost`). */
  readonly name?: string | undefined;
  /** TCP port for clients, and name of the Unix socket; 0 takes any free one. Default: the port of the segment. */
  readonly port?: number | undefined;
  /** IPv4 addresses for clients instead of those of the configuration; none: only the Unix socket. */
  readonly listen?: string | readonly string[] | undefined;
}

/** Options that only the API has: they say which file, and which part of it. */
export interface PlacementValues {
  readonly configFile?: string | undefined;
  readonly configText?: string | undefined;
  readonly name?: string | undefined;
  readonly port?: number | undefined;
  readonly listen?: readonly string[] | undefined;
}

/** setTimeout takes no more. */
const MAX_MS = 2_147_483_647;
/** The status report of the monitor protocol has 16 bits for a window. */
const MAX_WINDOW = 32_767;
/** A session handle has this many numbers for delivery workers. */
const MAX_DELIVERY_WORKERS = 64;
const MAX_QUEUE_BYTES = 1024 ** 4;
const MAX_AUTH_TEXT = 89;

function integer(min: number, max: number, unit = '') {
  const error = `an integer from ${min} to ${max}${unit}`;
  return z.number({ error }).int({ error }).min(min, { error }).max(max, { error });
}

function factor(min: number, max: number) {
  const error = `a number from ${min} to ${max}`;
  return z.number({ error }).min(min, { error }).max(max, { error });
}

const milliseconds = () => integer(1, MAX_MS, ' ms');

/** Keep-alive counts in seconds, and Linux takes no more than 32,767 of them. */
const silence = () => {
  const error = 'an integer from 1000 to 7200000 ms, or 0 for none';
  const time = z.number({ error }).int({ error }).min(1000, { error }).max(7_200_000, { error });
  return z.union([z.literal(0), time], { error });
};

const text = (max = 4096, what = 'text') => {
  const error = `${what} of 1 to ${max} characters`;
  return z
    .string({ error })
    .min(1, { error })
    .max(max, { error })
    .refine((value) => !value.includes('\0'), { error }); // it would cut a path short in the kernel
};

const path = () => text(4096, 'a path');

const bool = () => z.boolean({ error: 'true, yes, false or no' });

const oneOf = <const Word extends string>(words: readonly Word[]) =>
  z.enum(words, { error: `one of ${words.join(', ')}` });

/** Bytes, or digits with a suffix K, M or G. */
const byteCount = (min: number, max: number) => {
  const error = `a number of bytes from ${min} to ${max}, also as 512K, 64M or 1G`;
  return z
    .union([z.number(), z.string().regex(/^\d{1,15}[KMG]?$/i, { error })], { error })
    .transform((value) => (typeof value === 'number' ? value : bytesOfText(value)))
    .pipe(z.number({ error }).int({ error }).min(min, { error }).max(max, { error }));
};

const BYTES_OF_SUFFIX: Readonly<Record<string, number>> = { K: 1024, M: 1024 ** 2, G: 1024 ** 3 };

const bytesOfText = (written: string): number =>
  Number.parseInt(written, 10) * (BYTES_OF_SUFFIX[written.slice(-1).toUpperCase()] ?? 1);

const octalMode = () => {
  const error = 'octal from 0 to 0777, such as 0660';
  return z
    .union([z.number(), z.string().regex(/^(0o)?[0-7]{1,4}$/, { error })], { error })
    .transform((mode) => (typeof mode === 'number' ? mode : Number.parseInt(mode.replace('0o', ''), 8)))
    .pipe(z.number({ error }).int({ error }).min(0, { error }).max(0o777, { error }));
};

/** Each string may name several methods; several strings come from a file that has the option several times. */
const authMethods = () => {
  const error = `method names separated by blanks, below ${MAX_AUTH_TEXT + 1} characters`;
  const names = z.string({ error }).max(MAX_AUTH_TEXT, { error });
  return z
    .union([names.transform((one) => [one]), z.array(names, { error })], { error })
    .transform((texts) => texts.flatMap((one) => one.split(/\s+/)).filter((name) => name !== ''));
};

const debugFlags = () => {
  const error = `one of ${DEBUG_FLAGS.join(', ')}, ALL or NONE, or one with "!" in front`;
  const names = new Set<string>([...DEBUG_FLAGS, 'ALL', 'NONE']);
  const flag = z.string({ error }).refine((word) => names.has(word.replace(/^!/, '')), { error });
  return z.array(flag, { error: 'a list of event classes' });
};

const timeStamp = () => {
  const error = 'a strftime format of 1 to 39 characters';
  const format = z.string().min(1, { error }).max(39, { error });
  return z
    .union([z.boolean(), z.null(), format], { error })
    .transform((value) => (value === true ? DEFAULT_TIME_STAMP_FORMAT : value === false ? null : value));
};

const deliveryWorkers = () => {
  const error = `auto, or an integer from 1 to ${MAX_DELIVERY_WORKERS}`;
  const count = z.number().int({ error }).min(1, { error }).max(MAX_DELIVERY_WORKERS, { error });
  return z.union([z.literal('auto'), count], { error });
};

const ipv4 = () => {
  const error = 'an IPv4 address';
  return z.string({ error }).refine((address) => ipv4ToNumber(address) !== null, { error });
};

/** One entry for each option a file may hold. */
const fileOptions = {
  debugFlags: debugFlags(),
  eventPriority: oneOf(EVENT_PRIORITIES),
  eventLogFile: path().nullable(),
  eventTimeStamp: timeStamp(),
  eventPreciseTimeStamp: bool(),
  debugInitialSequence: bool(),
  dangerousMonitor: bool(),
  socketPortReuse: oneOf(SOCKET_PORT_REUSES),
  runtimeDir: path().nullable(),
  daemonUser: text(32, 'a name').nullable(),
  daemonGroup: text(32, 'a name').nullable(),
  allowedAuthMethods: authMethods(),
  requiredAuthMethods: authMethods(),
  accessControlPolicy: z.literal('PERMIT', { error: 'PERMIT, the only policy there is' }),
  maxSessionMessages: integer(0, 1_000_000_000),
  linkProtocol: oneOf(LINK_PROTOCOLS).nullable(),
  window: integer(1, MAX_WINDOW, ' packets'),
  personalWindow: integer(1, MAX_WINDOW, ' packets'),
  acceleratedRing: bool().nullable(),
  acceleratedWindow: integer(0, MAX_WINDOW, ' packets'),
  tokenTimeout: milliseconds(),
  hurryTimeout: milliseconds(),
  aliveTimeout: milliseconds(),
  joinTimeout: milliseconds(),
  repTimeout: milliseconds(),
  segTimeout: milliseconds(),
  gatherTimeout: milliseconds(),
  formTimeout: milliseconds(),
  lookupTimeout: milliseconds(),
  activeIPVersion: z.literal('IPv4', { error: 'IPv4: daemons do not speak IPv6 yet' }),
  wideAreaNetwork: bool().nullable(),
  ignoreMulticastJoinErrors: bool(),
  excludeSegAddrsFromHash: bool(),
  threadingMode: oneOf(THREADING_MODES),
  deliveryWorkers: deliveryWorkers(),
  maxSessions: integer(1, 1_000_000),
  maxSessionBytes: byteCount(1024, MAX_QUEUE_BYTES),
  maxQueuedBytes: byteCount(1024 * 1024, MAX_QUEUE_BYTES).nullable(),
  maxSessionGroups: integer(1, 10_000_000),
  slowConsumerPolicy: oneOf(SLOW_CONSUMER_POLICIES),
  handshakeTimeout: milliseconds(),
  maxHandshakes: integer(1, 1_000_000),
  maxWaitingPasswords: integer(0, 1_000_000),
  maxInputBytes: byteCount(1024 * 1024, MAX_QUEUE_BYTES),
  clientTimeout: silence(),
  unixSocketDir: path()
    .nullable()
    .transform((directory) => (directory === 'none' ? null : directory)),
  unixSocketMode: octalMode(),
  logLevel: oneOf(LOG_LEVELS),
  listenBacklog: integer(1, 65_535),
  accessIpFile: path().nullable(),
  passwordFile: path().nullable(),
  datagramSize: integer(576, LARGEST_DATAGRAM_BYTES, ' bytes').nullable(),
  transport: oneOf(TRANSPORTS).nullable(),
  clusterKeyFile: path().nullable(),
  stateDir: path().nullable(),
  volatile: bool(),
  ringProfile: oneOf(RING_PROFILES).nullable(),
  timeScale: factor(0.01, 100),
} satisfies Record<OptionKey, z.ZodType>;

const placement = {
  configFile: path(),
  configText: z.string({ error: 'the text of a configuration' }),
  name: z.string({ error: DAEMON_NAME_LIMIT }).refine(isUsableDaemonName, { error: DAEMON_NAME_LIMIT }),
  port: integer(0, 65_535),
  listen: z.union([ipv4().transform((address) => [address]), z.array(ipv4())], {
    error: 'an IPv4 address, or a list of them',
  }),
};

/** Values of options, each checked by itself. Unknown names are refused. */
export const optionsSchema: z.ZodType<OptionValues & PlacementValues, DaemonOptions> = z
  .strictObject({ ...placement, ...fileOptions })
  .partial();

/** Every name the API knows, for suggestions. */
export const OPTION_NAMES: readonly string[] = [...Object.keys(placement), ...Object.keys(fileOptions)];
