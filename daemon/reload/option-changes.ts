/** What a configuration that was read again changes, option by option. Pure. */

import type { ConfigurationOptions, OptionKey } from '../../engine/config/configuration-options.ts';
import type { DaemonConfiguration } from '../../engine/config/daemon-configuration.ts';
import { allHosts } from '../../engine/config/daemon-configuration.ts';
import { type Endpoint, endpointText } from '../../engine/config/endpoint.ts';
import { keywordOf, OPTION_KEYS, optionEntry } from '../../engine/config/option-catalogue.ts';
import { servesTls } from '../../engine/config/tls-listeners.ts';
import { DRIFT_REASON, KEYS_REASON, RESTART_REASONS, type RestartKey, TLS_REASON } from './restart-reasons.ts';

/** One option whose value in force differs from the one that was read. */
export interface OptionDifference {
  /** As a file names it, such as `MaxHandshakes`; `Spread_Segment` for segments and daemons. */
  readonly option: string;
  /** The value in force, as text. */
  readonly was: string;
  /** The value that was read, as text. */
  readonly now: string;
  /** Why it is not in force; absent: it is. */
  readonly because?: string;
}

/** Every difference that has an effect is in exactly one of the lists. */
export interface OptionChanges {
  /** Can be put in force now. */
  readonly changed: readonly OptionDifference[];
  /** Takes a restart of this daemon. */
  readonly restart: readonly OptionDifference[];
  /** Belongs to the ring: change it at all daemons. */
  readonly drift: readonly OptionDifference[];
}

/** Where a change of an option belongs. */
export type ChangeClass = keyof OptionChanges;

/** A class, and why it is not `changed`; null: the change has no effect at any time, which a warning of the configuration says. */
type Verdict = { readonly list: ChangeClass; readonly because?: string } | null;

/** @returns what becomes of a change between these two values */
function judge(
  key: OptionKey,
  was: unknown,
  now: unknown,
  inForce: ConfigurationOptions,
  read: ConfigurationOptions,
): Verdict {
  const { change, ringWide } = optionEntry(key);
  if (ringWide === true) return { list: 'drift', because: DRIFT_REASON };
  if (key === 'clusterKeyFile' && (was === null) !== (now === null)) return { list: 'restart', because: KEYS_REASON };
  if (now === null && isNeededByTls(key, inForce, read)) return { list: 'restart', because: TLS_REASON };
  if (change === 'never') return null;
  return change !== 'reload' ? { list: 'restart', because: RESTART_REASONS[key as RestartKey] } : { list: 'changed' };
}

/** A file may give up TLS; its ports stay open until the next start, and need what they have. */
function isNeededByTls(key: OptionKey, inForce: ConfigurationOptions, read: ConfigurationOptions): boolean {
  if (!servesTls(inForce)) return false;
  if (key === 'tlsAuthorityFile') return read.tlsClientCertificate !== 'none';
  return key === 'tlsCertificateFile' || key === 'tlsKeyFile';
}

/** @param inForce what the daemon goes by, which is not all of the file that it read last */
export function compareConfigurations(inForce: DaemonConfiguration, read: DaemonConfiguration): OptionChanges {
  const changes: Record<ChangeClass, OptionDifference[]> = { changed: [], restart: [], drift: [] };
  const segments = { was: segmentsText(inForce), now: segmentsText(read) };
  if (segments.was !== segments.now)
    changes.drift.push({ option: 'Spread_Segment', ...segments, because: DRIFT_REASON });
  for (const key of OPTION_KEYS) {
    const was = optionValue(inForce.options, key);
    const now = optionValue(read.options, key);
    const difference = { option: keywordOf(key), was: valueText(key, was), now: valueText(key, now) };
    const verdict = difference.was === difference.now ? null : judge(key, was, now, inForce.options, read.options);
    if (verdict === null) continue;
    const { list, because } = verdict;
    changes[list].push(because === undefined ? difference : { ...difference, because });
  }
  return changes;
}

/** The options in force after a reload: those that can change as they were read, the others as they were. */
export function mergeReloadable(inForce: ConfigurationOptions, read: ConfigurationOptions): ConfigurationOptions {
  const taken = OPTION_KEYS.filter(
    (key) =>
      judge(key, optionValue(inForce, key), optionValue(read, key), inForce, read)?.list === 'changed' && key in read,
  );
  return { ...inForce, ...Object.fromEntries(taken.map((key) => [key, optionValue(read, key)])) };
}

/** Spread's timers are one object among the options. */
function optionValue(options: ConfigurationOptions, key: OptionKey): unknown {
  if (key in options) return options[key as keyof ConfigurationOptions];
  return options.timeouts?.[key as keyof NonNullable<ConfigurationOptions['timeouts']>] ?? null;
}

function valueText(key: OptionKey, value: unknown): string {
  if (value === null || value === undefined) return 'none';
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  const { kind } = optionEntry(key).type;
  if (kind === 'mode') return `0${Number(value).toString(8)}`;
  if (kind === 'endpoints') return (value as readonly Endpoint[]).map(endpointText).join(' ') || 'none';
  return Array.isArray(value) ? value.join(' ') || 'none' : String(value);
}

const segmentsText = ({ segments }: DaemonConfiguration): string =>
  segments
    .map((segment) => {
      const hosts = allHosts([segment]).map(({ name, address }) => `${name} ${address}`);
      return `${segment.address}:${segment.port} { ${hosts.join(', ')} }`;
    })
    .join(' ');
