/** `skein conf options`: every option of a daemon, from the same table as docs/configuration.md. */
import type { OptionReference } from '../../engine/config/option-reference.ts';
import { CliError, ExitCode } from '../exit.ts';
import { counted, table, wrapped } from '../text.ts';

/** More matches than this are printed as a table. */
const MOST_IN_FULL = 3;
const WIDTH_CHARS = 80;

export const OPTIONS_HELP = `
NAME is a name or part of one, in any case. Up to ${MOST_IN_FULL} matches are printed in full,
more as a table. docs/configuration.md has the same.

Examples:
  skein conf options
  skein conf options MaxSessions
  skein conf options timeout
  skein conf options --json | jq -r '.[] | select(.sameEverywhere) | .name'`;

/** @throws (rejects) CliError when a name matches no option */
export async function printOptions(names: readonly string[], { json }: { readonly json?: true }): Promise<void> {
  const { optionReferences } = await import('../../engine/config/option-reference.ts');
  const options = optionReferences();
  const chosen = names.length === 0 ? options : await matching(names, options);
  process.stdout.write(`${json === true ? JSON.stringify(chosen.map(plainOf), null, 2) : listed(chosen)}\n`);
}

/** An exact name matches one option, a part of a name every option that contains it. The result is in the order of the table. */
async function matching(
  names: readonly string[],
  options: readonly OptionReference[],
): Promise<readonly OptionReference[]> {
  const chosen = new Set<OptionReference>();
  for (const name of names) {
    const part = name.toLowerCase();
    const exact = options.find((option) => option.key.toLowerCase() === part);
    const found = exact === undefined ? options.filter(({ key }) => key.toLowerCase().includes(part)) : [exact];
    if (found.length === 0) throw new CliError(await unknownOption(name, options), ExitCode.Usage);
    for (const option of found) chosen.add(option);
  }
  return options.filter((option) => chosen.has(option));
}

async function unknownOption(name: string, options: readonly OptionReference[]): Promise<string> {
  const { optionHint } = await import('../../engine/config/option-hint.ts');
  return `unknown option ${JSON.stringify(name)}${optionHint(
    name,
    options.map((option) => option.name),
  )}`;
}

const listed = (options: readonly OptionReference[]): string =>
  options.length > MOST_IN_FULL ? overview(options) : options.map(inFull).join('\n\n');

function overview(options: readonly OptionReference[]): string {
  const rows = options.map((option) => {
    const { name, unit, default: missing } = plainOf(option);
    const isCount = /^[\d,]/.test(missing);
    return [name, isCount && unit === 'ms' ? `${missing} ms` : missing, option.noEffect === null ? '' : 'no effect'];
  });
  const columns = table([['option', 'default', ''], ...rows], [0, 1, 2]);
  return `${columns}\n\n${counted(options.length, 'option')}; "skein conf options NAME" shows everything about one.`;
}

function inFull(option: OptionReference): string {
  const plain = plainOf(option);
  const typed = plain.unit === null || plain.unit === plain.type ? plain.type : `${plain.type} (${plain.unit})`;
  const facts: readonly (readonly [string, string | null])[] = [
    ['on the command line', `-o ${plain.key}=…`],
    ['type', typed],
    ['default', plain.default],
    ['range', plain.range],
    ['takes effect', plain.takesEffect],
    ['cluster', plain.sameEverywhere ? 'the same at all daemons' : null],
    ['since', plain.since],
    ['effect', plain.noEffect === null ? null : `none: ${plain.noEffect}`],
    ['Spread', plain.spread ?? 'no such option'],
  ];
  const lines = facts.flatMap(([name, text]) =>
    text === null ? [] : wrapped(text, WIDTH_CHARS, `  ${name.padEnd(21)}`, ' '.repeat(23)),
  );
  const text = plain.text === '' ? [] : ['', ...wrapped(plain.text, WIDTH_CHARS, '  ', '  ')];
  return [plain.name, ...lines, ...text].join('\n');
}

/** Removes the Markdown. */
function plainOf(option: OptionReference): OptionReference {
  const { text, range, spread, takesEffect } = option;
  return {
    ...option,
    default: plain(option.default),
    range: plain(range),
    takesEffect: plain(takesEffect),
    text: plain(text),
    spread: spread === null ? null : plain(spread),
  };
}

const plain = (markdown: string): string => markdown.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').replace(/`/g, '');
