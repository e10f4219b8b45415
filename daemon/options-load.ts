/** Reads what `resolveDaemonOptions` needs from the machine: the configuration file, host names and local addresses. */
import { lookup } from 'node:dns/promises';
import { access } from 'node:fs/promises';
import { hostname } from 'node:os';
import { type AddressLookup, namesToResolve } from '../engine/config/build-segments.ts';
import { ConfigError } from '../engine/config/config-error.ts';
import { type ConfigFile, parseConfig } from '../engine/config/parse-config.ts';
import { localInterfaces } from './local-interfaces.ts';
import {
  type ResolvedConfiguration,
  type ResolvedDaemonOptions,
  resolveConfiguration,
  resolveDaemonOptions,
} from './options-resolve.ts';
import type { DaemonOptions } from './options-schema.ts';
import { readTextFile } from './text-file.ts';

/** Where a daemon started without a file name looks for one (client-protocol.md, section 9.1), in this order. */
const CONFIG_FILE_PATHS: readonly string[] = ['spread.conf', '/etc/spread.conf'];

/** The first of `CONFIG_FILE_PATHS` that exists, or null: then the embedded default applies. */
export async function findConfigFile(): Promise<string | null> {
  for (const path of CONFIG_FILE_PATHS) {
    const exists = await access(path).then(
      () => true,
      () => false,
    );
    if (exists) return path;
  }
  return null;
}

/** @throws ConfigError with every problem found, also when the file cannot be read */
export async function loadOptions(options: DaemonOptions): Promise<ResolvedDaemonOptions> {
  const file = await readConfig(options);
  const interfaces = localInterfaces();
  const localAddresses = interfaces.map(({ address }) => address);
  return resolveDaemonOptions(options, { file, addressOf: await resolveNames(file), localAddresses, interfaces });
}

/**
 * Checks a configuration without being one of its daemons. Warnings about this machine's addresses are for the entry that
 * `options.name` names, else for the one it is likely to run.
 * @throws ConfigError like `loadOptions`
 */
export async function loadConfiguration(options: DaemonOptions): Promise<ResolvedConfiguration> {
  const file = await readConfig(options);
  const machine = { interfaces: localInterfaces(), hostName: hostname() };
  return resolveConfiguration(options, { file, addressOf: await resolveNames(file), machine });
}

async function readConfig({ configFile, configText }: DaemonOptions): Promise<ConfigFile | null> {
  // Values of a wrong type, which JavaScript callers can pass, are left to the schema to report.
  if (typeof configText === 'string') return parseConfig(configText, 'configText');
  if (typeof configFile !== 'string') return null;
  const text = await readTextFile(configFile).catch((error: Error) => {
    const message = `the configuration file cannot be used: ${error.message}`;
    throw new ConfigError([{ message, field: 'configFile', value: configFile }], null);
  });
  return parseConfig(text, configFile);
}

async function resolveNames(file: ConfigFile | null): Promise<AddressLookup> {
  const names = file === null ? [] : namesToResolve(file);
  const found = await Promise.all(
    names.map((name) =>
      lookup(name, { family: 4 }).then(
        ({ address }) => [name, address] as const,
        () => [name, null] as const,
      ),
    ),
  );
  const addresses = new Map(found);
  return (name) => addresses.get(name) ?? null;
}
