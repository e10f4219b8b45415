/** Text of a spread.conf file -> its structure, with syntax errors made readable. */
import { ConfigError, type ConfigSource } from './config-error.ts';
import { closestWord } from './did-you-mean.ts';
import { type Expectation, SyntaxError as ParserSyntaxError, parse } from './generated/spread-conf-parser.js';
import { openBrace } from './open-brace.ts';
import { OPTION_KEYWORDS } from './option-catalogue.ts';
import type { ConfigItem } from './syntax-tree.ts';

/** A file that is well-formed; whether it makes sense is not known yet. */
export interface ConfigFile {
  readonly source: ConfigSource;
  readonly items: readonly ConfigItem[];
}

/** @throws ConfigError with the one place where the text stops being a configuration */
export function parseConfig(text: string, name: string): ConfigFile {
  const source = { name, text: text.startsWith('\uFEFF') ? text.slice(1) : text };
  try {
    return { source, items: parse(source.text) };
  } catch (error) {
    if (!(error instanceof ParserSyntaxError)) throw error;
    throw new ConfigError([syntaxProblem(error, source.text)], source);
  }
}

function syntaxProblem(error: ParserSyntaxError, text: string): ConfigError['problems'][number] {
  const { line, column, offset } = error.location.start;
  const token = /^[^ \t\r\n#{}]+/.exec(text.slice(offset, offset + 40))?.[0] ?? text.slice(offset, offset + 1);
  const at = { line, column, lengthChars: Math.max(1, token.length) };
  if (error.expected === null) return { ...at, message: error.message, value: token };

  const limit = listOf(error.expected.map(describe).filter((description) => description !== null));
  const found = token === '' ? 'end of file' : JSON.stringify(token);
  const why = hint(error, text, token) ?? unclosed(error, text, token) ?? '';
  return { ...at, message: `expected ${limit}; found ${found}${why}`, value: token, limit };
}

function describe(expectation: Expectation): string | null {
  if (expectation.type === 'literal') return JSON.stringify(expectation.text);
  if (expectation.description === 'blank') return null;
  return expectation.description ?? null;
}

function listOf(descriptions: readonly string[]): string {
  const unique = [...new Set(descriptions)].sort();
  const last = unique.pop() ?? 'something else';
  return unique.length === 0 ? last : `${unique.join(', ')} or ${last}`;
}

const BLOCK_KEYWORDS = ['Spread_Segment', 'RouteMatrix'];

/** What is wrong with the braces, if that may be what is wrong. */
function unclosed(error: ParserSyntaxError, text: string, token: string): string | null {
  if (token === '}') return openBrace(text, error.location.start.offset) === null ? ' (no "{" is open here)' : null;
  const expectsClose = error.expected?.some((expectation) => expectation.text === '}') ?? false;
  const open = expectsClose ? openBrace(text, error.location.start.offset) : null;
  if (open === null) return null;
  if (endsBlock(token)) return ` (the "{" of line ${open.line} is not closed)`;
  return open.line < error.location.start.line ? ` (is the "{" of line ${open.line} closed?)` : null;
}

/** What cannot be inside the braces, so that their end is missing: the end of the file, another block, an option. */
function endsBlock(token: string): boolean {
  const word = token.split('=', 1)[0] ?? '';
  return token === '' || token === '{' || BLOCK_KEYWORDS.includes(word) || OPTION_KEYWORDS.has(word);
}

function hint(error: ParserSyntaxError, text: string, token: string): string | null {
  const expectsName = error.expected?.some((expectation) => expectation.description === 'a daemon name') ?? false;
  if (expectsName && /^\d+$/.test(token)) return ' (a name of digits only must be quoted)';

  const { offset } = error.location.start;
  // A mistyped block keyword reads as an option, and what follows it is the surprise.
  const before = /([A-Za-z_]\w*)\s*$/.exec(text.slice(Math.max(0, offset - 200), offset))?.[1];
  if (before === undefined || OPTION_KEYWORDS.has(before) || BLOCK_KEYWORDS.includes(before)) return null;
  const closest = closestWord(before, BLOCK_KEYWORDS);
  return closest === null ? null : ` (did you mean "${closest}" instead of "${before}"?)`;
}
