import { randomBytes } from 'node:crypto';
import { open } from 'node:fs/promises';
import { type Command, Option } from 'commander';
import { type ClusterKey, MAX_CLUSTER_KEYS, MAX_KEY_ID, parseClusterKeys } from '../engine/config/cluster-keys.ts';
import { integer } from './arguments.ts';
import { CliError, ExitCode } from './exit.ts';
import { changeSecretFile } from './secret-file.ts';

const KEY_BYTES = 32;
const OWNER_ONLY = 0o600;

const HELP = `
All daemons of a cluster have the same key file; ClusterKeyFile names it. The
first key seals what a daemon sends, all keys open what it receives. With FILE,
the key is written there, readable by its owner only; otherwise it is printed.

Examples:
  skein keygen /etc/skein/cluster.keys
  skein keygen --add /etc/skein/cluster.keys   # first step of a key change
  skein keygen --id 7`;

interface KeygenFlags {
  readonly id?: number;
  readonly add?: true;
}

export function registerKeygen(program: Command): void {
  program
    .command('keygen')
    .description('make a key for a cluster')
    .argument('[file]', 'key file to make; it must not exist, except with --add')
    .addOption(
      new Option('--id <n>', 'id of the key (default: the next after the highest)').argParser(integer(0, MAX_KEY_ID)),
    )
    .option('--add', 'append the key to the file')
    .addHelpText('after', HELP)
    .action(keygen);
}

async function keygen(file: string | undefined, flags: KeygenFlags): Promise<void> {
  if (file === undefined) {
    if (flags.add === true) throw new CliError('--add needs the file to append the key to', ExitCode.Usage);
    process.stdout.write(keyLine(flags.id ?? 1));
  } else if (flags.add === true) await add(file, flags.id);
  else await create(file, flags.id ?? 1);
}

const keyLine = (id: number): string => `${id}:${randomBytes(KEY_BYTES).toString('base64')}\n`;

async function create(file: string, id: number): Promise<void> {
  const handle = await open(file, 'wx', OWNER_ONLY).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
    throw new CliError(`${file} exists: --add appends a key to it`, ExitCode.Usage);
  });
  try {
    await handle.writeFile(keyLine(id));
    await handle.sync();
  } finally {
    await handle.close();
  }
  process.stdout.write(`${file}: key ${id} made; copy the file to every daemon and name it with ClusterKeyFile\n`);
}

async function add(file: string, wanted: number | undefined): Promise<void> {
  let id = wanted ?? 0;
  await changeSecretFile(file, 'keygen', (text) => {
    if (text === null) throw new CliError(`${file} does not exist: make it without --add`);
    const keys = parseClusterKeys(text, file);
    if (keys.length >= MAX_CLUSTER_KEYS)
      throw new CliError(`${file} holds ${keys.length} keys, which is the limit: remove an old one first`);
    id = wanted ?? nextId(keys);
    if (keys.some((key) => key.id === id)) throw new CliError(`${file} has a key ${id} already`, ExitCode.Usage);
    return `${text}${text.endsWith('\n') ? '' : '\n'}${keyLine(id)}`;
  });
  process.stdout.write(
    `${file}: key ${id} added; copy the file to every daemon and send each SIGHUP, then move the key to the front\n`,
  );
}

/** One above the highest; at the end of numbers, the first that is free. */
function nextId(keys: readonly ClusterKey[]): number {
  const highest = Math.max(...keys.map(({ id }) => id));
  if (highest < MAX_KEY_ID) return highest + 1;
  const free = Array.from({ length: MAX_KEY_ID + 1 }, (_, id) => id).find((id) => !keys.some((key) => key.id === id));
  return free!;
}
