/**
 * The one schema for options, wherever they come from: values of a spread.conf file (`readFileOptions` turns them into
 * the same shapes) and the typed options of the embedding API.
 *
 * The message of every check is the limit alone, such as `an integer from 1 to 64`; `options-resolve.ts` puts field,
 * value and position in front. Rules between options are in engine/config/option-rules.ts.
 */
import { z } from 'zod';
import {
  DEFAULT_TIME_STAMP_FORMAT,
  type OptionInputs,
  type OptionKey,
  type OptionValues,
} from '../engine/config/configuration-options.ts';
import { DAEMON_NAME_LIMIT, isUsableDaemonName } from '../engine/config/daemon-name.ts';
import { ENDPOINT_LIMIT, parseEndpoint } from '../engine/config/endpoint.ts';
import { ipv4ToNumber } from '../engine/config/ipv4.ts';
import { type KeyOfKind, OPTION_CATALOGUE } from '../engine/config/option-catalogue.ts';
import { ORIGIN_LIMIT, parseOrigin } from '../engine/config/web-origin.ts';

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

/** Units that a limit names; those of a count are in the name of the option. */
const NAMED_UNITS: ReadonlySet<string> = new Set(['ms', 'packets', 'bytes']);

const integerOf = (min: number, max: number, error: string) =>
  z.number({ error }).int({ error }).min(min, { error }).max(max, { error });

function integer(key: KeyOfKind<'integer'>) {
  const { min, max, unit } = OPTION_CATALOGUE[key].type;
  return integerOf(min, max, `an integer from ${min} to ${max}${NAMED_UNITS.has(unit) ? ` ${unit}` : ''}`);
}

function factor(key: KeyOfKind<'number'>) {
  const { min, max } = OPTION_CATALOGUE[key].type;
  const error = `a number from ${min} to ${max}`;
  return z.number({ error }).min(min, { error }).max(max, { error });
}

/** Keep-alive counts in seconds, and Linux takes no more than 32,767 of them. */
const silence = () => {
  const { min, max } = OPTION_CATALOGUE.clientTimeout.type;
  const error = `an integer from ${min} to ${max} ms, or 0 for none`;
  return z.union([z.literal(0), integerOf(min, max, error)], { error });
};

/** 0 switches it off. */
const orNone = (key: LimitKey) => {
  const { min, max, unit } = OPTION_CATALOGUE[key].type;
  const error = `an integer from ${min} to ${max} ${unit}, or 0 for none`;
  return z.union([z.literal(0), integerOf(min, max, error)], { error });
};

type LimitKey = `max${'User' | 'Address'}${'Sessions' | 'MessageRate' | 'ByteRate'}` | 'rateLimitTimeout';

const text = (max: number, what: string) => {
  const error = `${what} of 1 to ${max} characters`;
  return z
    .string({ error })
    .min(1, { error })
    .max(max, { error })
    .refine((value) => !value.includes('\0'), { error }); // it would cut a path short in the kernel
};

const path = (key: KeyOfKind<'path'>) => text(OPTION_CATALOGUE[key].type.maxChars, 'a path');

const name = (key: KeyOfKind<'name'>) => text(OPTION_CATALOGUE[key].type.maxChars, 'a name');

const bool = () => z.boolean({ error: 'true, yes, false or no' });

const oneOf = <Key extends KeyOfKind<'word' | 'exact-word'>>(key: Key) => {
  const { words } = OPTION_CATALOGUE[key].type;
  return z.enum(words as readonly WordOf<Key>[], { error: `one of ${words.join(', ')}` });
};

type WordOf<Key extends KeyOfKind<'word' | 'exact-word'>> = (typeof OPTION_CATALOGUE)[Key]['type']['words'][number];

/** Bytes, or digits with a suffix K, M or G. */
const byteCount = (key: KeyOfKind<'bytes'>) => {
  const { min, max } = OPTION_CATALOGUE[key].type;
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
const authMethods = (key: KeyOfKind<'methods'>) => {
  const { maxChars } = OPTION_CATALOGUE[key].type;
  const error = `method names separated by blanks, below ${maxChars + 1} characters`;
  const names = z.string({ error }).max(maxChars, { error });
  return z
    .union([names.transform((one) => [one]), z.array(names, { error })], { error })
    .transform((texts) => texts.flatMap((one) => one.split(/\s+/)).filter((name) => name !== ''));
};

/** Each string may have several words, as with `authMethods`. @param parse null: the word is none of the kind */
const words = <T>(maxChars: number, limit: string, parse: (word: string) => T | null) => {
  const error = `${limit}, or several separated by blanks, below ${maxChars + 1} characters`;
  const texts = z
    .string({ error })
    .max(maxChars, { error })
    .refine((text) => text === 'none' || wordsOf(text).every((word) => parse(word) !== null), { error });
  return z
    .union([z.null().transform(() => []), texts.transform((one) => [one]), z.array(texts, { error })], { error })
    .transform((all) =>
      all.filter((text) => text !== 'none').flatMap((text) => wordsOf(text).map((word) => parse(word)!)),
    );
};

const endpoints = (key: KeyOfKind<'endpoints'>) =>
  words(OPTION_CATALOGUE[key].type.maxChars, ENDPOINT_LIMIT, parseEndpoint);

const origins = (key: KeyOfKind<'origins'>) =>
  words(OPTION_CATALOGUE[key].type.maxChars, ORIGIN_LIMIT, (word) =>
    word === '*' ? word : (parseOrigin(word)?.text ?? null),
  );

const wordsOf = (text: string): readonly string[] => text.split(/\s+/).filter((word) => word !== '');

const debugFlags = () => {
  const { words } = OPTION_CATALOGUE.debugFlags.type;
  const error = `one of ${words.join(', ')}, ALL or NONE, or one with "!" in front`;
  const names = new Set<string>([...words, 'ALL', 'NONE']);
  const flag = z.string({ error }).refine((word) => names.has(word.replace(/^!/, '')), { error });
  return z.array(flag, { error: 'a list of event classes' });
};

const timeStamp = () => {
  const { maxChars } = OPTION_CATALOGUE.eventTimeStamp.type;
  const error = `a strftime format of 1 to ${maxChars} characters`;
  const format = z.string().min(1, { error }).max(maxChars, { error });
  return z
    .union([z.boolean(), z.null(), format], { error })
    .transform((value) => (value === true ? DEFAULT_TIME_STAMP_FORMAT : value === false ? null : value));
};

const deliveryWorkers = () => {
  const { min, max } = OPTION_CATALOGUE.deliveryWorkers.type;
  const error = `auto, or an integer from ${min} to ${max}`;
  return z.union([z.literal('auto'), integerOf(min, max, error)], { error });
};

const ipv4 = () => {
  const error = 'an IPv4 address';
  return z.string({ error }).refine((address) => ipv4ToNumber(address) !== null, { error });
};

/** One entry for each option a file may hold. */
const fileOptions = {
  debugFlags: debugFlags(),
  eventPriority: oneOf('eventPriority'),
  eventLogFile: path('eventLogFile').nullable(),
  eventTimeStamp: timeStamp(),
  eventPreciseTimeStamp: bool(),
  debugInitialSequence: bool(),
  dangerousMonitor: bool(),
  socketPortReuse: oneOf('socketPortReuse'),
  runtimeDir: path('runtimeDir').nullable(),
  daemonUser: name('daemonUser').nullable(),
  daemonGroup: name('daemonGroup').nullable(),
  allowedAuthMethods: authMethods('allowedAuthMethods'),
  requiredAuthMethods: authMethods('requiredAuthMethods'),
  accessControlPolicy: z.literal('PERMIT', { error: 'PERMIT, the only policy there is' }),
  maxSessionMessages: integer('maxSessionMessages'),
  linkProtocol: oneOf('linkProtocol').nullable(),
  window: integer('window'),
  personalWindow: integer('personalWindow'),
  acceleratedRing: bool().nullable(),
  acceleratedWindow: integer('acceleratedWindow'),
  tokenTimeout: integer('tokenTimeout'),
  hurryTimeout: integer('hurryTimeout'),
  aliveTimeout: integer('aliveTimeout'),
  joinTimeout: integer('joinTimeout'),
  repTimeout: integer('repTimeout'),
  segTimeout: integer('segTimeout'),
  gatherTimeout: integer('gatherTimeout'),
  formTimeout: integer('formTimeout'),
  lookupTimeout: integer('lookupTimeout'),
  activeIPVersion: z.literal('IPv4', { error: 'IPv4: daemons do not speak IPv6 yet' }),
  wideAreaNetwork: bool().nullable(),
  ignoreMulticastJoinErrors: bool(),
  excludeSegAddrsFromHash: bool(),
  threadingMode: oneOf('threadingMode'),
  deliveryWorkers: deliveryWorkers(),
  maxSessions: integer('maxSessions'),
  maxSessionBytes: byteCount('maxSessionBytes'),
  maxQueuedBytes: byteCount('maxQueuedBytes').nullable(),
  maxSessionGroups: integer('maxSessionGroups'),
  maxUserSessions: orNone('maxUserSessions'),
  maxUserMessageRate: orNone('maxUserMessageRate'),
  maxUserByteRate: orNone('maxUserByteRate'),
  maxAddressSessions: orNone('maxAddressSessions'),
  maxAddressMessageRate: orNone('maxAddressMessageRate'),
  maxAddressByteRate: orNone('maxAddressByteRate'),
  rateLimitTimeout: orNone('rateLimitTimeout'),
  slowConsumerPolicy: oneOf('slowConsumerPolicy'),
  handshakeTimeout: integer('handshakeTimeout'),
  maxHandshakes: integer('maxHandshakes'),
  maxWaitingPasswords: integer('maxWaitingPasswords'),
  maxInputBytes: byteCount('maxInputBytes'),
  drainTime: integer('drainTime'),
  drainViewBytes: byteCount('drainViewBytes'),
  clientTimeout: silence(),
  unixSocketDir: path('unixSocketDir')
    .nullable()
    .transform((directory) => (directory === 'none' ? null : directory)),
  unixSocketMode: octalMode(),
  logLevel: oneOf('logLevel'),
  listenBacklog: integer('listenBacklog'),
  accessIpFile: path('accessIpFile').nullable(),
  passwordFile: path('passwordFile').nullable(),
  scramFile: path('scramFile').nullable(),
  datagramSize: integer('datagramSize').nullable(),
  transport: oneOf('transport').nullable(),
  clusterKeyFile: path('clusterKeyFile').nullable(),
  stateDir: path('stateDir').nullable(),
  volatile: bool(),
  ringProfile: oneOf('ringProfile').nullable(),
  timeScale: factor('timeScale'),
  webSocketListen: endpoints('webSocketListen'),
  webSocketTlsListen: endpoints('webSocketTlsListen'),
  webSocketOrigins: origins('webSocketOrigins'),
  tlsListen: endpoints('tlsListen'),
  tlsCertificateFile: path('tlsCertificateFile').nullable(),
  tlsKeyFile: path('tlsKeyFile').nullable(),
  tlsAuthorityFile: path('tlsAuthorityFile').nullable(),
  tlsClientCertificate: oneOf('tlsClientCertificate'),
  httpListen: endpoints('httpListen'),
  httpTlsListen: endpoints('httpTlsListen'),
  httpTokenFile: path('httpTokenFile').nullable(),
  accessFile: path('accessFile').nullable(),
} satisfies Record<OptionKey, z.ZodType>;

const placement = {
  configFile: text(4096, 'a path'),
  configText: z.string({ error: 'the text of a configuration' }),
  name: z.string({ error: DAEMON_NAME_LIMIT }).refine(isUsableDaemonName, { error: DAEMON_NAME_LIMIT }),
  port: integerOf(0, 65_535, 'an integer from 0 to 65535'),
  listen: z.union([ipv4().transform((address) => [address]), z.array(ipv4())], {
    error: 'an IPv4 address, or a list of them',
  }),
};

/** Values of options, each checked by itself. Unknown names are refused. */
export const optionsSchema: z.ZodType<OptionValues & PlacementValues, DaemonOptions> = z
  .strictObject({ ...placement, ...fileOptions })
  .partial();

/** Every name of the API, for suggestions. */
export const DAEMON_OPTION_NAMES: readonly string[] = [...Object.keys(placement), ...Object.keys(fileOptions)];
