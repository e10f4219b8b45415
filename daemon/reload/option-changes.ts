/** What a configuration that was read again changes, option by option. Pure. */

import type { ConfigurationOptions, OptionKey } from '../../engine/config/configuration-options.ts';
import type { DaemonConfiguration } from '../../engine/config/daemon-configuration.ts';
import { allHosts } from '../../engine/config/daemon-configuration.ts';
import { type Endpoint, endpointText } from '../../engine/config/endpoint.ts';
import { keywordOf, OPTION_KEYS, optionEntry } from '../../engine/config/option-catalogue.ts';

/** One option whose value in force differs from the one that was read. */
export interface OptionDifference {
  /** As a file names it, such as `MaxHandshakes`; `Spread_Segment` for segments and daemons. */
  readonly option: string;
  /** The value in force, as text. */
  readonly was: string;
  /** The value that was read, as text. */
  readonly now: string;
}

/** Every difference is in exactly one of the lists. */
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

/** A daemon seals its traffic, and serves TLS, from its start on or never: these files change, but do not come and go. */
const FROM_THE_START: readonly OptionKey[] = ['clusterKeyFile', 'tlsCertificateFile', 'tlsKeyFile', 'tlsAuthorityFile'];

/** @returns the class of a change between these two values */
function changeClass(key: OptionKey, was: unknown, now: unknown): ChangeClass {
  const { change, ringWide } = optionEntry(key);
  if (ringWide === true) return 'drift';
  if (FROM_THE_START.includes(key) && (was === null) !== (now === null)) return 'restart';
  return change === 'reload' ? 'changed' : 'restart';
}

/** @param inForce what the daemon goes by, which is not all of the file that it read last */
export function compareConfigurations(inForce: DaemonConfiguration, read: DaemonConfiguration): OptionChanges {
  const changes: Record<ChangeClass, OptionDifference[]> = { changed: [], restart: [], drift: [] };
  const segments = { was: segmentsText(inForce), now: segmentsText(read) };
  if (segments.was !== segments.now) changes.drift.push({ option: 'Spread_Segment', ...segments });
  for (const key of OPTION_KEYS) {
    const was = optionValue(inForce.options, key);
    const now = optionValue(read.options, key);
    const difference = { option: keywordOf(key), was: valueText(key, was), now: valueText(key, now) };
    if (difference.was !== difference.now) changes[changeClass(key, was, now)].push(difference);
  }
  return changes;
}

/** The options in force after a reload: those that can change as they were read, the others as they were. */
export function mergeReloadable(inForce: ConfigurationOptions, read: ConfigurationOptions): ConfigurationOptions {
  const taken = OPTION_KEYS.filter(
    (key) => changeClass(key, optionValue(inForce, key), optionValue(read, key)) === 'changed' && key in read,
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
