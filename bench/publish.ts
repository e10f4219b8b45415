/** Writes reports, and quotes the published one in the README. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { figuresMarkdown } from './report/figures.ts';
import { renderPage } from './report/page.ts';
import { type Report, reportSchema } from './report-schema.ts';

/** Name of the committed report, which the README quotes. */
export const LATEST = 'latest';

/** One line for each run: a report has hundreds of runs, each with a curve. */
function reportJson({ runs, ...rest }: Report): string {
  const head = JSON.stringify(rest, null, 1).slice(0, -2);
  return `${head},\n "runs": [\n${runs.map((run) => `  ${JSON.stringify(run)}`).join(',\n')}\n ]\n}\n`;
}

/** Writes `name`.json and `name`.html. @returns their paths */
export async function writeReport(report: Report, directory: string, name: string): Promise<readonly string[]> {
  await mkdir(directory, { recursive: true });
  const base = join(resolve(directory), name);
  await writeFile(`${base}.json`, reportJson(reportSchema.parse(report)));
  await writeFile(`${base}.html`, renderPage(report));
  return [`${base}.json`, `${base}.html`];
}

export const FIGURES_BEGIN = '<!-- figures -->';
export const FIGURES_END = '<!-- /figures -->';

/** Replaces the text between the two marks, and adds the second if it is missing. @throws when the first is missing */
export function replaceFigures(text: string, figures: string): string {
  const begin = text.indexOf(FIGURES_BEGIN);
  if (begin === -1) throw new Error(`no line "${FIGURES_BEGIN}" to put the figures behind`);
  const behind = begin + FIGURES_BEGIN.length;
  const end = text.indexOf(FIGURES_END, behind);
  const rest = end === -1 ? text.slice(behind) : text.slice(end + FIGURES_END.length);
  return `${text.slice(0, behind)}\n${figures.trim()}\n${FIGURES_END}${rest}`;
}

/** @returns a line that says what was done */
export async function quoteInReadme(report: Report, file: string): Promise<string> {
  const before = await readFile(file, 'utf8');
  const after = replaceFigures(before, figuresMarkdown(report));
  if (after === before) return `${file}: figures are up to date`;
  await writeFile(file, after);
  return `${file}: figures written`;
}
