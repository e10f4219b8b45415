/** Options of the API and of the configuration file -> one set of resolved options. Pure: files and names are read by `options-load.ts`. */
import { addressWarnings, type LocalInterface, likelySelf } from '../engine/config/address-warnings.ts';
import { type AddressLookup, buildSegments } from '../engine/config/build-segments.ts';
import { type ConfigProblem, type ConfigSource, Findings } from '../engine/config/config-error.ts';
import { type OptionKey, type OptionValues, SPREAD_TIMEOUT_KEYS } from '../engine/config/configuration-options.ts';
import {
  allHosts,
  clientAddresses,
  type DaemonConfiguration,
  type Host,
  type Segment,
} from '../engine/config/daemon-configuration.ts';
import { embeddedSegments } from '../engine/config/embedded-default.ts';
import { type FileOption, readFileOptions } from '../engine/config/file-options.ts';
import { keywordOf } from '../engine/config/option-catalogue.ts';
import { optionHint } from '../engine/config/option-hint.ts';
import type { OptionOrigin } from '../engine/config/option-origin.ts';
import { checkOptionRelations, completeOptions } from '../engine/config/option-rules.ts';
import { selectOwnHost } from '../engine/config/own-host.ts';
import type { ConfigFile } from '../engine/config/parse-config.ts';
import { readablePasswords } from '../engine/config/readable-passwords.ts';
import { DAEMON_OPTION_NAMES, type DaemonOptions, optionsSchema, type PlacementValues } from './options-schema.ts';

export interface ResolveContext {
  /** The parsed configuration that `configFile` or `configText` named; null: the embedded default. */
  readonly file: ConfigFile | null;
  /** Answers for `namesToResolve(file)`. */
  readonly addressOf: AddressLookup;
  /** IPv4 addresses of this machine's interfaces. */
  readonly localAddresses: readonly string[];
  /** The same with details, for warnings; left out: warnings that need them are not given. */
  readonly interfaces?: readonly LocalInterface[];
}

/** On which machine a configuration is checked. */
export interface CheckedMachine {
  readonly interfaces: readonly LocalInterface[];
  readonly hostName: string;
}

export interface ResolvedConfiguration {
  readonly configuration: DaemonConfiguration;
  /** What was accepted but deserves a line in the log. */
  readonly warnings: readonly ConfigProblem[];
  /** Null: the embedded default. */
  readonly source: ConfigSource | null;
}

export interface ResolvedDaemonOptions extends ResolvedConfiguration {
  /** The entry of the configuration that this daemon is. */
  readonly self: Host;
  readonly listen: {
    /** IPv4; empty: only the Unix socket. */
    readonly addresses: readonly string[];
    /** 0: any free one. */
    readonly port: number;
  };
}

/**
 * Everything a daemon needs to know before it starts. Options of the API override those of the file.
 * @throws ConfigError with every problem found
 */
export function resolveDaemonOptions(options: DaemonOptions, context: ResolveContext): ResolvedDaemonOptions {
  const { values, ...resolved } = resolve(options, context);
  const { segments, options: complete } = resolved.configuration;
  const self = selectOwnHost(
    segments,
    { name: context.file === null ? segments[0]!.hosts[0]!.name : values.name, localAddresses: context.localAddresses },
    resolved.source,
  );
  const addresses = values.listen ?? clientAddresses(self, segments);
  if (addresses.length === 0 && complete.tlsListen.length === 0 && complete.unixSocketDir === null) {
    const findings = new Findings();
    findings.problem(
      null,
      `${self.name} has neither an address for clients nor a Unix socket: no client could connect`,
    );
    findings.throwIfAny(resolved.source);
  }
  const port = values.port ?? segments[self.segment]!.port;
  const warnings = [
    ...withAddressWarnings(resolved, context.file, context.interfaces ?? null, self),
    ...nameless(values),
    ...readablePasswords(complete, addresses),
  ];
  return { ...resolved, warnings, self, listen: { addresses, port } };
}

/** A free port is known only after binding, so such a daemon has no name for a Unix socket. */
function nameless({ port, unixSocketDir }: OptionValues & PlacementValues): readonly ConfigProblem[] {
  if (port !== 0 || unixSocketDir == null) return [];
  const message = 'unixSocketDir has no effect: a Unix socket is named after the port, and port 0 takes any';
  return [{ message, field: 'unixSocketDir', value: unixSocketDir }];
}

/**
 * The same without choosing an entry: for a check of a file on a machine that need not be in it.
 * @throws ConfigError with every problem found
 */
export function resolveConfiguration(
  options: DaemonOptions,
  context: Omit<ResolveContext, 'localAddresses' | 'interfaces'> & { readonly machine?: CheckedMachine },
): ResolvedConfiguration {
  const { values, ...resolved } = resolve(options, context);
  const { file, machine } = context;
  if (machine === undefined) return resolved;
  const { segments } = resolved.configuration;
  const named = allHosts(segments).find(({ name }) => name === values.name);
  if (values.name !== undefined && named === undefined && file !== null)
    selectOwnHost(segments, { name: values.name, localAddresses: [] }, resolved.source);
  const self = named ?? likelySelf(segments, machine.interfaces, machine.hostName);
  const clients = (self === null ? allHosts(segments) : [self]).flatMap((host) => clientAddresses(host, segments));
  const warnings = [
    ...withAddressWarnings(resolved, file, machine.interfaces, self),
    ...readablePasswords(resolved.configuration.options, clients),
  ];
  return { ...resolved, warnings };
}

/** In the order of the file. */
function withAddressWarnings(
  { configuration, warnings }: ResolvedConfiguration,
  file: ConfigFile | null,
  interfaces: readonly LocalInterface[] | null,
  self: Host | null,
): readonly ConfigProblem[] {
  if (file === null || interfaces === null) return warnings;
  return [...warnings, ...addressWarnings({ ...configuration, file, interfaces, self })].sort(byPosition);
}

function resolve(
  options: DaemonOptions,
  { file, addressOf }: Pick<ResolveContext, 'file' | 'addressOf'>,
): ResolvedConfiguration & { readonly values: OptionValues & PlacementValues } {
  const findings = new Findings();
  const source = file?.source ?? null;
  const merged = mergeOptions(options, file === null ? new Map() : readFileOptions(file, findings));
  const values = validate(merged, findings);
  if (values.configFile !== undefined && values.configText !== undefined) {
    findings.problem(null, 'configFile and configText exclude each other: give one of them', { field: 'configText' });
  }
  const segments: readonly Segment[] =
    file === null ? embeddedSegments(values.name, values.port) : buildSegments(file, addressOf, findings);
  checkOptionRelations(values, segments, (key) => originOf(merged, key), findings);

  findings.problems.sort(byPosition);
  findings.warnings.sort(byPosition);
  findings.throwIfAny(source);
  return { configuration: { segments, options: completeOptions(values) }, warnings: findings.warnings, source, values };
}

const byPosition = (a: ConfigProblem, b: ConfigProblem): number =>
  (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0);

interface MergedOptions {
  /** Not checked yet. */
  readonly raw: Readonly<Record<string, unknown>>;
  /** Those of `raw` that the file gave. */
  readonly fromFile: ReadonlyMap<string, FileOption>;
}

function mergeOptions(options: DaemonOptions, fileOptions: ReadonlyMap<OptionKey, FileOption>): MergedOptions {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  const overridden = new Set<string>(given.flatMap(([key]) => [key, ...displacedBy(key)]));
  const fromFile = new Map([...fileOptions].filter(([key]) => !overridden.has(key)));
  const fileEntries = [...fromFile].map(([key, option]) => [key, option.value]);
  return { raw: Object.fromEntries([...fileEntries, ...given]), fromFile };
}

/** Options of the file that make no sense beside this one of the API, though they have another name. */
function displacedBy(key: string): readonly string[] {
  if (key === 'ringProfile') return SPREAD_TIMEOUT_KEYS;
  if (key === 'eventPriority') return ['logLevel'];
  return SPREAD_TIMEOUT_KEYS.some((timeout) => timeout === key) ? ['ringProfile'] : [];
}

/** The values that are valid on their own; the others are reported and left out, so that further checks can follow. */
function validate(merged: MergedOptions, findings: Findings): OptionValues & PlacementValues {
  const result = optionsSchema.safeParse(merged.raw);
  if (result.success) return result.data;

  const invalid = new Set<string>();
  const reported = new Set<string>();
  for (const issue of result.error.issues) {
    if (issue.code === 'unrecognized_keys') {
      for (const name of issue.keys) {
        findings.problem(null, `unknown option "${name}"${optionHint(name, DAEMON_OPTION_NAMES)}`, { field: name });
        invalid.add(name);
      }
      continue;
    }
    const [key, element] = issue.path;
    invalid.add(String(key));
    // One value may break several checks of one limit.
    const place = issue.path.join('.');
    if (reported.has(place)) continue;
    reported.add(place);
    reportValue(merged, String(key), typeof element === 'number' ? element : null, issue.message, findings);
  }
  return optionsSchema.parse(Object.fromEntries(Object.entries(merged.raw).filter(([key]) => !invalid.has(key))));
}

function reportValue(
  merged: MergedOptions,
  key: string,
  element: number | null,
  limit: string,
  findings: Findings,
): void {
  const { at, field } = originOf(merged, key);
  const value = merged.raw[key];
  if (element === null || !Array.isArray(value)) {
    findings.wrongValue(at, field, value, limit);
    return;
  }
  const option = merged.fromFile.get(key);
  const name = option === undefined ? `${field}[${element}]` : field;
  findings.wrongValue(option?.elements[element] ?? at, name, value[element], limit);
}

function originOf(merged: MergedOptions, key: string): OptionOrigin {
  const option = merged.fromFile.get(key);
  return option === undefined ? { at: null, field: key } : { at: option.at, field: keywordOf(option.key) };
}
