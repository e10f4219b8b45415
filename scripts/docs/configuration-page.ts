/** The text of docs/configuration.md, from the catalogue of options. */
import { wrapped } from '../../cli/text.ts';
import { type OptionReference, optionReferences } from '../../engine/config/option-reference.ts';
import type { OptionSection } from '../../engine/config/option-types.ts';

const WIDTH_CHARS = 120;

const INTRODUCTION = `# Configuration

<!-- Made by "npm run docs:configuration" from engine/config/catalogue/. Do not edit. -->

Every option of a daemon. A configuration file has one option a line, \`Name = value\`. \`skein start\` takes the same name
with a small first letter after \`-o\`, and \`startDaemon\` as a field:

    MaxSessions = 100                        # spread.conf
    skein start -o maxSessions=100
    startDaemon({ maxSessions: 100 })

Options given to \`skein start\` or \`startDaemon\` override the file. An unknown name, a value of the wrong type or a value
out of range is an error that names option, value and limit, and the name that was probably meant. An option without
effect is named in a warning, at the start and by \`skein conf check\`.

\`skein conf show FILE\` prints every option with its value. \`skein conf options NAME\` prints the text of this page.

**Values.** Times are in milliseconds. Byte counts may end in \`K\`, \`M\` or \`G\`, powers of 1,024. Booleans are \`yes\`,
\`no\`, \`true\` or \`false\`. \`none\` is no value.

**Takes effect.** *reload*: at a [reload](operations.md#reloading-options) or a start; of an option that names a file,
its content too. *restart*: at the next start of the daemon. *by itself for the content*: the daemon notices when the
named file has changed. *monitor flow*:
[\`skein monitor flow\`](command-line.md#skein-monitor) changes it in a running daemon, until that daemon restarts.

Segments and daemons of a file are described in [clusters.md](clusters.md), limits in [limits.md](limits.md).`;

const SECTIONS: Readonly<Record<OptionSection, { readonly title: string; readonly text: string }>> = {
  clients: { title: 'Clients', text: 'What each limit counts, and what happens at it: [limits.md](limits.md).' },
  access: {
    title: 'Who may connect, and do what',
    text: 'Step by step: [security.md](security.md#who-may-connect) and [access.md](access.md). The daemon reads the files at its start.',
  },
  daemons: { title: 'Between daemons', text: 'A daemon alone ignores these. See [clusters.md](clusters.md).' },
  timers: {
    title: 'Timers of the ring',
    text: "Choose a `RingProfile`, and leave Spread's nine timers to files written for Spread.",
  },
  process: { title: 'The process', text: '' },
  log: { title: 'The log', text: '' },
  monitoring: {
    title: 'Health, metrics, dashboard',
    text: 'What is served, and who may see it: [monitoring.md](monitoring.md).',
  },
  compatibility: {
    title: 'Without effect',
    text: "Read because files of Spread have them. `LogLevel` replaces Spread's event classes.",
  },
};

const IN_A_PROGRAM = `## In a program

\`startDaemon(options)\` takes every option above, and these fields:

| Field | Meaning |
|---|---|
| \`configFile\`, \`configText\` | path of a file, or its text; with neither the daemon is alone, on loopback |
| \`name\` | the entry of the configuration that this daemon is; without a configuration, its name |
| \`port\` | TCP port for clients, and the name of the Unix socket; 0 takes any free port |
| \`listen\` | IPv4 addresses for clients instead of the configured ones; \`[]\`: Unix socket only |
| \`logger\` | a pino logger instead of \`EventLogFile\` |
| \`workerUrl\` | file of the worker threads, for [bundles](install.md#bundlers) |

The promise resolves when the daemon listens. It rejects with a \`ConfigError\`, whose \`problems\` have field, value and
limit, or with the error of the socket that could not be opened. The daemon has:

| Member | Meaning |
|---|---|
| \`name\`, \`addresses\`, \`port\`, \`httpUrls\`, \`webSocketUrls\`, \`threadingMode\` | what the options came to; \`port\` is null without TCP |
| \`drain({ drainTimeMs, drainTimeoutMs })\` | [lets clients move](operations.md#stopping-and-upgrading) for \`drainTime\`, then stops |
| \`stop({ drainTimeoutMs })\` | [stops in order](operations.md#stopping-and-upgrading); \`await using\` does it too |
| \`closed\` | resolves when the daemon has stopped; rejects when a part of it failed |
| \`reload()\` | [reads configuration and files again](operations.md#reloading-options), as SIGHUP does |
| \`reopenLog()\` | opens the log file again |
| \`logStatus()\` | logs one line of status |
| \`counters\` | shared memory with the counters: \`engine/buffers/counters.ts\` |`;

/** The whole page. */
export function configurationPage(): string {
  const options = optionReferences();
  const sections = (Object.keys(SECTIONS) as OptionSection[]).map((section) =>
    sectionText(
      section,
      options.filter((option) => option.section === section),
    ),
  );
  return `${[INTRODUCTION, ...sections, IN_A_PROGRAM].join('\n\n')}\n`;
}

function sectionText(section: OptionSection, options: readonly OptionReference[]): string {
  const { title, text } = SECTIONS[section];
  const parts = [`## ${title}`, ...(text === '' ? [] : [paragraph(text)]), ...options.map(optionText)];
  return parts.join('\n\n');
}

function optionText(option: OptionReference): string {
  const { name, type, unit, range, since, takesEffect, text, noEffect, spread, sameEverywhere } = option;
  const sentences = [
    text,
    noEffect === null ? '' : `No effect: ${noEffect}.`,
    sameEverywhere ? 'It must be the same at all daemons.' : '',
  ].filter((sentence) => sentence !== '');
  const isLong = range.length > 40;
  return [
    `### ${name}`,
    [
      '| Type | Unit | Default | Range | Takes effect | Since |',
      '|---|---|---|---|---|---|',
      `| ${[type, unit ?? '', option.default, isLong ? 'see below' : range, takesEffect, since].join(' | ')} |`,
    ].join('\n'),
    paragraph(sentences.join(' ')),
    ...(isLong ? [paragraph(`*Values:* ${range}.`)] : []),
    paragraph(`*Spread:* ${spread ?? 'no such option.'}`),
  ].join('\n\n');
}

const paragraph = (text: string): string => wrapped(text, WIDTH_CHARS, '', '').join('\n');
