import { randomBytes } from 'node:crypto';
import { chown, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { type Command, Option } from 'commander';
import { type ClusterKey, MAX_CLUSTER_KEYS, MAX_KEY_ID, parseClusterKeys } from '../engine/config/cluster-keys.ts';
import { integer } from './arguments.ts';
import { CliError, ExitCode } from './exit.ts';

const KEY_BYTES = 32;
const OWNER_ONLY = 0o600;

const HELP = `
ClusterKeyFile names the key file, which is the same at all daemons of a cluster. Its first key seals what a daemon sends; all its
keys open what a daemon gets. With a file, the key is written there, readable for you only; without one it is printed.

Examples:
  skein keygen /etc/skein/cluster.keys
  skein keygen --add /etc/skein/cluster.keys   # a second key, the first step of a change
  skein keygen --id 7`;

interface KeygenFlags {
  readonly id?: number;
  readonly add?: true;
}

export function registerKeygen(program: Command): void {
  program
    .command('keygen')
    .description('make a key of a cluster')
    .argument('[file]', 'key file to make; it must not exist, except with --add')
    .addOption(
      new Option('--id <n>', 'number of the key; default: the next after the highest').argParser(
        integer(0, MAX_KEY_ID),
      ),
    )
    .option('--add', 'put the key behind those of the file')
    .addHelpText('after', HELP)
    .action(keygen);
}

async function keygen(file: string | undefined, flags: KeygenFlags): Promise<void> {
  if (file === undefined) {
    if (flags.add === true) throw new CliError('--add needs the file that the key is put into', ExitCode.Usage);
    process.stdout.write(keyLine(flags.id ?? 1));
  } else if (flags.add === true) await add(file, flags.id);
  else await create(file, flags.id ?? 1);
}

const keyLine = (id: number): string => `${id}:${randomBytes(KEY_BYTES).toString('base64')}\n`;

async function create(file: string, id: number): Promise<void> {
  const handle = await open(file, 'wx', OWNER_ONLY).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
    throw new CliError(`${file} exists: --add puts a key behind those in it`, ExitCode.Usage);
  });
  try {
    await handle.writeFile(keyLine(id));
    await handle.sync();
  } finally {
    await handle.close();
  }
  process.stdout.write(`${file}: key ${id} made; copy the file to every daemon and name it with ClusterKeyFile\n`);
}

/** A reader of the file gets it as it was, or as it will be. */
async function add(file: string, wanted: number | undefined): Promise<void> {
  const text = await readFile(file, 'utf8');
  const keys = parseClusterKeys(text, file);
  if (keys.length >= MAX_CLUSTER_KEYS)
    throw new CliError(`${file} holds ${keys.length} keys, as many as it may: take an old one out first`);
  const id = wanted ?? nextId(keys);
  if (keys.some((key) => key.id === id)) throw new CliError(`${file} has a key ${id} already`, ExitCode.Usage);
  const { mode, uid, gid } = await stat(file);
  const temporary = `${file}.new`;
  const handle = await open(temporary, 'wx', OWNER_ONLY).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
    throw new CliError(`${temporary} exists: another keygen works on it, or left it behind; remove it then`);
  });
  try {
    await handle.writeFile(`${text}${text.endsWith('\n') ? '' : '\n'}${keyLine(id)}`);
    await handle.chmod(mode & 0o777);
    if (process.geteuid?.() === 0) await chown(temporary, uid, gid);
    await handle.sync();
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  } finally {
    await handle.close();
  }
  process.stdout.write(
    `${file}: key ${id} added; bring the file to every daemon and send each SIGHUP, then put the key in front\n`,
  );
}

/** One above the highest; at the end of numbers, the first that is free. */
function nextId(keys: readonly ClusterKey[]): number {
  const highest = Math.max(...keys.map(({ id }) => id));
  if (highest < MAX_KEY_ID) return highest + 1;
  const free = Array.from({ length: MAX_KEY_ID + 1 }, (_, id) => id).find((id) => !keys.some((key) => key.id === id));
  return free!;
}
