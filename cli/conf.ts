import type { Command } from 'commander';
import type { ResolvedConfiguration } from '../daemon/options-resolve.ts';
import { ConfigError, type ConfigProblem, formatConfigError, formatProblem } from '../engine/config/config-error.ts';
import { allHosts } from '../engine/config/daemon-configuration.ts';
import { OPTIONS_HELP, printOptions } from './conf/options.ts';
import { CliError } from './exit.ts';
import { counted } from './text.ts';

const CHECK_HELP = `
The exit code is 0 when a daemon would start with the file, otherwise 1.
Problems and warnings go to standard error, with line, column and the text
concerned. The key, password and access files that it names are read as well;
a warning names those that this user may not read.

Examples:
  skein conf check spread.conf
  skein conf check spread.conf --json`;

const SHOW_HELP = `
Without a file: the configuration that "skein start" would use.

Examples:
  skein conf show
  skein conf show spread.conf | jq .options.maxSessions`;

export function registerConf(program: Command): void {
  const conf = program.command('conf').description('check and show configurations, list options');
  conf
    .command('check')
    .description('check a configuration in the format of spread.conf')
    .argument('<file>')
    .option('-n, --name <name>', 'entry that this machine runs (default: found by address or host name)')
    .option('--json', 'print the result as JSON')
    .addHelpText('after', CHECK_HELP)
    .action(check);
  conf
    .command('show')
    .description('print segments and options of a configuration, with defaults, as JSON')
    .argument('[file]')
    .addHelpText('after', SHOW_HELP)
    .action(show);
  conf
    .command('options')
    .description('print every option of a daemon, or those whose names contain NAME')
    .argument('[name...]')
    .option('--json', 'print JSON')
    .addHelpText('after', OPTIONS_HELP)
    .action(printOptions);
}

async function check(file: string, flags: { readonly name?: string; readonly json?: true }): Promise<void> {
  const { loadConfiguration } = await import('../daemon/options-load.ts');
  let warnings: readonly ConfigProblem[] = [];
  try {
    const resolved = await loadConfiguration({ configFile: file, name: flags.name });
    const { checkOperatorFiles } = await import('../daemon/operator-files.ts');
    const files = await checkOperatorFiles(resolved.configuration.options);
    warnings = [...resolved.warnings, ...files.warnings];
    const checked = { ...resolved, warnings };
    if (files.problems.length > 0) {
      if (flags.json !== true) printWarnings(warnings, resolved);
      throw new ConfigError(files.problems, null);
    }
    if (flags.json === true) printJson({ ok: true, file, ...summary(checked), warnings, problems: [] });
    else printChecked(file, checked);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    if (flags.json === true)
      printJson({ ok: false, file, segments: null, daemons: null, warnings, problems: error.problems });
    else process.stderr.write(`${formatConfigError(error)}\n`);
    throw new CliError(`${file}: ${counted(error.problems.length, 'problem')}`);
  }
}

function printChecked(file: string, resolved: ResolvedConfiguration): void {
  printWarnings(resolved.warnings, resolved);
  const { segments, daemons } = summary(resolved);
  const parts = [counted(segments, 'segment'), counted(daemons, 'daemon')];
  if (resolved.warnings.length > 0) parts.push(counted(resolved.warnings.length, 'warning'));
  process.stdout.write(`${file}: ok, ${parts.join(', ')}\n`);
}

function printWarnings(warnings: readonly ConfigProblem[], { source }: ResolvedConfiguration): void {
  for (const warning of warnings) process.stderr.write(`warning: ${formatProblem(warning, source)}\n`);
}

const summary = ({ configuration: { segments } }: ResolvedConfiguration) => ({
  segments: segments.length,
  daemons: allHosts(segments).length,
});

async function show(file: string | undefined): Promise<void> {
  const { findConfigFile, loadConfiguration } = await import('../daemon/options-load.ts');
  const configFile = file ?? (await findConfigFile()) ?? undefined;
  const resolved = await loadConfiguration({ configFile });
  printWarnings(resolved.warnings, resolved);
  const { segments, options } = resolved.configuration;
  printJson({ source: resolved.source?.name ?? null, segments, options });
}

const printJson = (value: object): void => {
  process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
};
