/** Which options a file may hold, and how the text of each becomes a value. Ranges are judged by the options schema. */
import type { OptionKey } from './options.ts';

/**
 * - `flag`: no value
 * - `optional-text`: `Name` or `Name = text`
 * - `list`: `Name = { A B !C }`
 * - `accumulated-text`: text; every occurrence counts
 * - `number`, `boolean`: text that is none stays text, so that the schema refuses it and names it
 * - `keyword`: like text, but in lower case whatever the file has
 */
export type ValueKind =
  | 'flag'
  | 'optional-text'
  | 'list'
  | 'accumulated-text'
  | 'number'
  | 'boolean'
  | 'keyword'
  | 'text';

export const OPTION_KINDS: Readonly<Record<OptionKey, ValueKind>> = {
  debugFlags: 'list',
  eventPriority: 'text',
  eventLogFile: 'text',
  eventTimeStamp: 'optional-text',
  eventPreciseTimeStamp: 'flag',
  debugInitialSequence: 'flag',
  dangerousMonitor: 'boolean',
  socketPortReuse: 'keyword',
  runtimeDir: 'text',
  daemonUser: 'text',
  daemonGroup: 'text',
  allowedAuthMethods: 'accumulated-text',
  requiredAuthMethods: 'accumulated-text',
  accessControlPolicy: 'text',
  maxSessionMessages: 'number',
  linkProtocol: 'text',
  window: 'number',
  personalWindow: 'number',
  acceleratedRing: 'boolean',
  acceleratedWindow: 'number',
  tokenTimeout: 'number',
  hurryTimeout: 'number',
  aliveTimeout: 'number',
  joinTimeout: 'number',
  repTimeout: 'number',
  segTimeout: 'number',
  gatherTimeout: 'number',
  formTimeout: 'number',
  lookupTimeout: 'number',
  activeIPVersion: 'text',
  wideAreaNetwork: 'boolean',
  ignoreMulticastJoinErrors: 'boolean',
  excludeSegAddrsFromHash: 'boolean',
  threadingMode: 'keyword',
  deliveryWorkers: 'number',
  maxSessions: 'number',
  maxSessionBytes: 'text',
  maxQueuedBytes: 'text',
  maxSessionGroups: 'number',
  slowConsumerPolicy: 'keyword',
  handshakeTimeout: 'number',
  maxHandshakes: 'number',
  maxWaitingPasswords: 'number',
  maxInputBytes: 'text',
  clientTimeout: 'number',
  unixSocketDir: 'text',
  unixSocketMode: 'text',
  logLevel: 'keyword',
  listenBacklog: 'number',
  accessIpFile: 'text',
  passwordFile: 'text',
  datagramSize: 'number',
  transport: 'keyword',
  clusterKeyFile: 'text',
  stateDir: 'text',
  volatile: 'boolean',
  ringProfile: 'keyword',
  timeScale: 'number',
};

/** `window` -> `Window`. */
export const keywordOf = (key: OptionKey): string => key[0]!.toUpperCase() + key.slice(1);

/** Keyword in a file -> option. */
export const OPTION_KEYWORDS: ReadonlyMap<string, OptionKey> = new Map(
  (Object.keys(OPTION_KINDS) as OptionKey[]).map((key) => [keywordOf(key), key]),
);
