/** Options and files -> the settings of delivery workers, at a start and at a reload. */
import type { ConfigurationOptions } from '../engine/config/configuration-options.ts';
import type { DeliverySettings } from '../workers/delivery/delivery-settings.ts';
import { defaultMaxQueuedBytes } from './machine-memory.ts';
import type { OperatorFiles } from './operator-files.ts';

export function deliverySettings(
  options: ConfigurationOptions,
  { access, passwords, scram, rights, tls }: Pick<OperatorFiles, 'access' | 'passwords' | 'scram' | 'rights' | 'tls'>,
): DeliverySettings {
  return {
    maxSessions: options.maxSessions,
    clientTimeoutMs: options.clientTimeout,
    unixSocketMode: options.unixSocketMode,
    handshakeTimeoutMs: options.handshakeTimeout,
    maxHandshakes: options.maxHandshakes,
    maxWaitingPasswords: options.maxWaitingPasswords,
    maxInputBytes: options.maxInputBytes,
    maxQueuedBytes: options.maxQueuedBytes ?? defaultMaxQueuedBytes(),
    drainViewBytes: options.drainViewBytes,
    limits: {
      maxSessionMessages: options.maxSessionMessages,
      maxSessionBytes: options.maxSessionBytes,
      policy: options.slowConsumerPolicy,
    },
    rates: {
      user: {
        sessions: options.maxUserSessions,
        messages: options.maxUserMessageRate,
        bytes: options.maxUserByteRate,
      },
      address: {
        sessions: options.maxAddressSessions,
        messages: options.maxAddressMessageRate,
        bytes: options.maxAddressByteRate,
      },
      timeoutMs: options.rateLimitTimeout,
    },
    maxSessionGroups: options.maxSessionGroups,
    auth: { allowed: options.allowedAuthMethods, required: options.requiredAuthMethods },
    access,
    passwords,
    scram,
    rights,
    tls,
    webSocketOrigins: options.webSocketOrigins,
  };
}
