/** A socket that could not be opened, as a problem of the option that says where it is. */
import { ConfigError } from '../engine/config/config-error.ts';
import type { OptionKey } from '../engine/config/configuration-options.ts';
import { keywordOf } from '../engine/config/option-catalogue.ts';
import type { ListenFailure, ListenPurpose } from '../workers/listen-failure.ts';
import type { DaemonOptions } from './options-schema.ts';

const OPTION_OF: Readonly<Partial<Record<ListenPurpose, OptionKey>>> = {
  tls: 'tlsListen',
  websocket: 'webSocketListen',
  'websocket-tls': 'webSocketTlsListen',
  unix: 'unixSocketDir',
  http: 'httpListen',
  'http-tls': 'httpTlsListen',
};

const LIMIT = 'an address of this machine that no other program uses';

/**
 * @param given options of the API; all others came from the file, or are defaults
 * @param hasFile whether there is a configuration file
 */
export function listenProblem(failure: ListenFailure, given: DaemonOptions, hasFile: boolean): ConfigError {
  const field = fieldOf(failure.purpose, given, hasFile);
  const message = `${field}: ${failure.message}`;
  return new ConfigError([{ message, field, value: failure.address, limit: LIMIT }], null, { cause: failure });
}

/** As the operator wrote it: `port` in the API, `Spread_Segment` in a file. */
function fieldOf(purpose: ListenPurpose, given: DaemonOptions, hasFile: boolean): string {
  const option = OPTION_OF[purpose];
  if (option !== undefined) return given[option] !== undefined || !hasFile ? option : keywordOf(option);
  if (purpose === 'tcp' && given.listen !== undefined) return 'listen';
  return given.port !== undefined || !hasFile ? 'port' : 'Spread_Segment';
}
