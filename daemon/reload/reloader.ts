/**
 * Reads configuration and files again, and puts in force what a running daemon can change. Everything that can be refused is read,
 * parsed and opened before the first part of the daemon changes: all threads and the log prepare one snapshot, and apply it when none refuses.
 */
import { ConfigError } from '../../engine/config/config-error.ts';
import type { ConfigurationOptions } from '../../engine/config/configuration-options.ts';
import type { DaemonConfiguration } from '../../engine/config/daemon-configuration.ts';
import type { DeliverySettings } from '../../workers/delivery/delivery-settings.ts';
import { FIRST_GENERATION, type SettingsSnapshot } from '../../workers/settings/settings-snapshot.ts';
import { inTwoSteps, type Preparation, type Prepared, SettingsRefused } from '../../workers/settings/two-steps.ts';
import type { Supervisor } from '../../workers/supervisor.ts';
import type { DaemonLog } from '../daemon-log.ts';
import { deliverySettings } from '../delivery-options.ts';
import { openFilesWarnings } from '../open-files.ts';
import { type OperatorFiles, readOperatorFiles } from '../operator-files.ts';
import type { ResolvedDaemonOptions } from '../options-resolve.ts';
import { compareFiles } from './file-changes.ts';
import { compareConfigurations, mergeReloadable, type OptionDifference } from './option-changes.ts';
import { settingsSnapshot } from './snapshot.ts';

/** What a reload did, and what it left. */
export interface ReloadReport {
  /** Counts the reloads that were put in force; the start is 1. */
  readonly generation: number;
  /** In force now. Of a file whose content has changed: how much is in it. */
  readonly changed: readonly OptionDifference[];
  /** Of effect only when this daemon starts anew. */
  readonly restart: readonly OptionDifference[];
  /** Belongs to the ring, and stays as it is at the others. */
  readonly drift: readonly OptionDifference[];
  /** What was accepted but deserves attention, as at a start. */
  readonly warnings: readonly string[];
}

export interface ReloaderLinks {
  /** Reads and checks the configuration again, with the options the daemon was started with. @throws (rejects) ConfigError */
  readonly load: () => Promise<ResolvedDaemonOptions>;
  /** Where the daemon was started. */
  readonly folder: string;
  readonly supervisor: Pick<Supervisor, 'preparations'>;
  readonly log: DaemonLog;
  /** The HTTP side. */
  readonly http: (snapshot: SettingsSnapshot) => Prepared;
}

export class Reloader {
  readonly #links: ReloaderLinks;
  #inForce: DaemonConfiguration;
  #files: OperatorFiles;
  #generation = FIRST_GENERATION;
  /** The end of the last reload that was asked for. */
  #last: Promise<unknown> = Promise.resolve();

  /** @param inForce what the daemon was started with */
  constructor(inForce: DaemonConfiguration, files: OperatorFiles, links: ReloaderLinks) {
    this.#inForce = inForce;
    this.#files = files;
    this.#links = links;
  }

  /** Those in force. */
  get options(): ConfigurationOptions {
    return this.#inForce.options;
  }

  /** What delivery workers go by. */
  get delivery(): DeliverySettings {
    return deliverySettings(this.#inForce.options, this.#files);
  }

  /**
   * One after the other, in the order of the calls.
   * @throws (rejects) ConfigError for what is wrong in a file, or the error of a file that cannot be read or opened; nothing has changed then
   */
  reload(): Promise<ReloadReport> {
    const result = this.#last.then(() => this.#reload());
    this.#last = result.catch(() => undefined);
    return result;
  }

  async #reload(): Promise<ReloadReport> {
    try {
      const report = await this.#putInForce();
      const { generation, changed, restart, drift, warnings } = report;
      for (const warning of warnings) this.#links.log.warn({}, warning);
      const fields = { generation, changed: changed.map(text), restart: restart.map(text), drift: drift.map(text) };
      this.#links.log.info(fields, 'options reloaded');
      return report;
    } catch (error) {
      this.#links.log.error({ reason: (error as Error).message }, 'options not reloaded; the old ones stay in force');
      throw error;
    }
  }

  async #putInForce(): Promise<ReloadReport> {
    const { load, folder, supervisor, log } = this.#links;
    const resolved = await load();
    const read = resolved.configuration;
    const options = mergeReloadable(this.#inForce.options, read.options);
    const warnings = resolved.warnings.map(({ message }) => message);
    const mistakes: string[] = [];
    const files = await readOperatorFiles(options, warnings, mistakes, folder);
    if (mistakes.length > 0) throw problemsOf(mistakes);
    const { changed, restart, drift } = compareConfigurations(this.#inForce, read);
    if (changed.some(({ option }) => option === 'MaxSessions' || option === 'MaxHandshakes'))
      warnings.push(...openFilesWarnings(options));
    const contents = compareFiles(this.#files, files);
    const generation = this.#generation + 1;
    const snapshot = settingsSnapshot(generation, options, files);
    await allOrNone([
      ...supervisor.preparations(snapshot),
      { name: 'http', prepare: () => this.#links.http(snapshot) },
      { name: 'log', prepare: () => log.prepare(options) },
    ]);
    this.#generation = generation;
    this.#inForce = { ...this.#inForce, options };
    this.#files = files;
    const sameFile = contents.filter(({ option }) => !changed.some((difference) => difference.option === option));
    return { generation, changed: [...changed, ...sameFile], restart, drift, warnings };
  }
}

const problemsOf = (messages: readonly string[], options?: ErrorOptions): ConfigError =>
  new ConfigError(
    messages.map((message) => ({ message })),
    null,
    options,
  );

/** @throws (rejects) ConfigError that names each part that refused, and why */
async function allOrNone(preparations: readonly Preparation[]): Promise<void> {
  try {
    await inTwoSteps(preparations);
  } catch (error) {
    if (!(error instanceof SettingsRefused)) throw error;
    throw problemsOf(
      error.refusals.map(({ worker, reason }) => `${worker}: ${reason}`),
      { cause: error },
    );
  }
}

const text = ({ option, was, now }: OptionDifference): string => `${option}: ${was} -> ${now}`;
