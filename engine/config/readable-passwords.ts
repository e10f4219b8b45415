/** Warns where the method PWORD lets passwords cross a network readable. `skein conf check` and the start of a daemon say the same. */
import type { ConfigProblem } from './config-error.ts';
import type { ConfigurationOptions } from './configuration-options.ts';
import { endpointText, isLoopbackEndpoint } from './endpoint.ts';

/** @param addresses where clients connect without encryption, beside those of WebSockets */
export function readablePasswords(
  { allowedAuthMethods, requiredAuthMethods, webSocketListen }: ConfigurationOptions,
  addresses: readonly string[],
): readonly ConfigProblem[] {
  if (!allowedAuthMethods.includes('PWORD') && !requiredAuthMethods.includes('PWORD')) return [];
  const plain = addresses.filter((host) => !isLoopbackEndpoint({ host, port: 0 }));
  const pages = webSocketListen.filter((endpoint) => !isLoopbackEndpoint(endpoint));
  const places = [...new Set([...plain, ...pages.map((endpoint) => `${endpointText(endpoint)} (WebSocket)`)])];
  if (places.length === 0) return [];
  const message = `the method PWORD is offered without encryption at ${places.join(', ')}: passwords are readable on the way; use SCRAM-SHA-256, or TlsListen in place of the plain port`;
  return [{ message, field: 'AllowedAuthMethods', value: 'PWORD' }];
}
