/** Contexts: named connections in a file of the user, so that commands need neither address nor token. */
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { fileReason } from '../../daemon/file-reason.ts';
import { CliError, ExitCode } from '../exit.ts';

export interface Context {
  /** URL where the daemon serves HTTP. */
  readonly http?: string | undefined;
  /** Path of a file with the token. */
  readonly tokenFile?: string | undefined;
  /** Path of a file with the authorities to trust for HTTPS. */
  readonly ca?: string | undefined;
  /** Where clients connect. */
  readonly spread?: string | undefined;
}

export interface Contexts {
  /** The context for commands that name none; null: none. */
  readonly current: string | null;
  readonly contexts: Readonly<Record<string, Context>>;
}

const NONE: Contexts = { current: null, contexts: {} };
/** Only the user may see where they connect and where their tokens are. */
const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;
const OTHERS_MODE = 0o077;
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;
export const CONTEXT_NAME_LIMIT = 'It must have 1 to 63 letters, digits, dots, dashes and underscores.';
export const isContextName = (name: string): boolean => NAME.test(name);

const text = z.string().min(1).max(4096);
const schema = z.strictObject({
  current: z.string().nullable(),
  contexts: z.record(
    z.string().regex(NAME),
    z.strictObject({ http: text.optional(), tokenFile: text.optional(), ca: text.optional(), spread: text.optional() }),
  ),
});

/** An empty XDG_CONFIG_HOME counts as unset (XDG Base Directory Specification). */
export function contextsFile(): string {
  const base = process.env['XDG_CONFIG_HOME'] || join(homedir(), '.config');
  return join(base, 'skein', 'contexts.json');
}

/** @throws CliError when the file exists and cannot be used */
export function readContexts(): Contexts {
  const path = contextsFile();
  if (!existsSync(path)) return NONE;
  try {
    const mode = statSync(path).mode & 0o7777;
    if (process.platform !== 'win32' && (mode & OTHERS_MODE) !== 0)
      throw new Error(`mode 0${mode.toString(8)} lets others read or change it: chmod 600 it`);
    return schema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch (error) {
    const reason = error instanceof z.ZodError ? z.prettifyError(error) : fileReason(error);
    throw new CliError(`${path} cannot be used: ${reason}`, ExitCode.Usage);
  }
}

/** Replaces the file by rename, because another command may be reading it. */
export function writeContexts(contexts: Contexts): void {
  const path = contextsFile();
  mkdirSync(dirname(path), { recursive: true, mode: FOLDER_MODE });
  const written = `${path}.${process.pid}`;
  writeFileSync(written, `${JSON.stringify(contexts, null, 2)}\n`, { mode: FILE_MODE });
  chmodSync(written, FILE_MODE);
  renameSync(written, path);
}

/**
 * @param name of the context; undefined: the current one
 * @returns an empty context when none is named and none is current
 */
export function contextNamed(name: string | undefined): Context {
  const { current, contexts } = readContexts();
  const wanted = name ?? current;
  if (wanted === null) return {};
  const found = Object.hasOwn(contexts, wanted) ? contexts[wanted] : undefined;
  if (found !== undefined) return found;
  const known = Object.keys(contexts).join(', ') || 'none';
  throw new CliError(`there is no context "${wanted}"; there are: ${known}`, ExitCode.Usage);
}
