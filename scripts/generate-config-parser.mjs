/**
 * Compiles engine/config/spread-conf.peggy into an ES module without imports, and its declaration.
 *
 * The output is not committed, so several processes (build, tests, type check) may generate it at the same time. It is written only when it
 * is missing or its first line has another digest of the sources, and always by rename.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import peggy from 'peggy';

const self = fileURLToPath(import.meta.url);
const root = dirname(dirname(self));
const grammarFile = join(root, 'engine/config/spread-conf.peggy');
const outputDirectory = join(root, 'engine/config/generated');
const parserFile = join(outputDirectory, 'spread-conf-parser.js');
const declarationFile = join(outputDirectory, 'spread-conf-parser.d.ts');

const declaration = `import type { ConfigItem } from '../syntax-tree.ts';

interface Location {
  readonly start: { readonly offset: number; readonly line: number; readonly column: number };
  readonly end: { readonly offset: number; readonly line: number; readonly column: number };
}

export interface Expectation {
  readonly type: 'literal' | 'class' | 'any' | 'end' | 'other';
  readonly text?: string;
  readonly description?: string;
}

/** Thrown by \`parse\`. \`expected\` is null when the grammar itself refused the text with \`message\`. */
declare class ParserSyntaxError extends Error {
  readonly expected: readonly Expectation[] | null;
  readonly location: Location;
}
export { ParserSyntaxError as SyntaxError };

export function parse(text: string): ConfigItem[];
`;

/** @returns {boolean} whether anything was written */
export function generateConfigParser() {
  const grammar = readFileSync(grammarFile, 'utf8');
  const digest = createHash('sha256').update(grammar).update(readFileSync(self)).update(peggy.VERSION).digest('hex');
  const firstLine = `// Generated from ${relative(root, grammarFile)}; sources ${digest}\n`;
  if (
    [parserFile, declarationFile].every((file) => existsSync(file) && readFileSync(file, 'utf8').startsWith(firstLine))
  )
    return false;

  const parser = peggy.generate(grammar, { output: 'source', format: 'es', grammarSource: 'spread-conf.peggy' });
  mkdirSync(outputDirectory, { recursive: true });
  writeAtomically(declarationFile, firstLine + declaration);
  writeAtomically(parserFile, firstLine + parser);
  return true;
}

function writeAtomically(file, text) {
  const temporary = `${file}.${process.pid}.tmp`;
  writeFileSync(temporary, text);
  renameSync(temporary, file);
}

if (process.argv[1] === self) {
  const written = generateConfigParser();
  console.log(`${relative(process.cwd(), parserFile)}: ${written ? 'written' : 'up to date'}`);
}
