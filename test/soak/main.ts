import { Command, InvalidArgumentError, Option } from 'commander';
import { type DaemonAddress, resolveAddress } from '../../client/address.ts';
import { passed, reportJson, reportText } from './report.ts';
import { runSoak, type SoakOptions } from './soak.ts';

const number =
  (min: number, max: number, whole = true) =>
  (text: string): number => {
    const value = Number(text);
    if (!(value >= min && value <= max) || (whole && !Number.isInteger(value)))
      throw new InvalidArgumentError(`must be ${whole ? 'an integer' : 'a number'} from ${min} to ${max}.`);
    return value;
  };

function address(text: string, before: readonly DaemonAddress[] | undefined): DaemonAddress[] {
  try {
    return [...(before ?? []), ...text.split(',').map((one) => resolveAddress(one, '/tmp'))];
  } catch (error) {
    throw new InvalidArgumentError(error instanceof Error ? error.message : String(error));
  }
}

const command = new Command('soak')
  .description(
    'Random joins, leaves, kills and messages for minutes; every trace is checked. Exits 1 when a property does not hold.',
  )
  .option('--clients <count>', 'clients', number(2, 10_000), 500)
  .option('--groups <count>', 'groups', number(8, 100_000), 2_000)
  .option('--minutes <minutes>', 'length of the run', number(0.05, 10_000, false), 10)
  .option('--seed <seed>', 'of all random choices (default: from the clock)', number(0, 2 ** 31 - 1))
  .option('--pace <factor>', 'multiplies all rates', number(0.01, 100, false), 1)
  .addOption(
    new Option('--mode <mode>', 'threading mode of the daemon')
      .choices(['auto', 'dedicated', 'shared-network', 'shared', 'inline'])
      .default('auto'),
  )
  .option(
    '--attach <address>',
    'a daemon that runs, as port@host; several in the order of their configuration',
    address,
  )
  .option('--pid <pid>', 'process whose memory is watched, with --attach', number(1, 2 ** 22))
  .option('--json', 'figures as JSON')
  .parse();

const { json, seed, attach, pid, ...rest } = command.opts<
  Omit<SoakOptions, 'attach' | 'pid' | 'seed'> & {
    json?: boolean;
    seed?: number;
    attach?: DaemonAddress[];
    pid?: number;
  }
>();
const options: SoakOptions = { ...rest, seed: seed ?? Date.now() % 2 ** 31, attach: attach ?? [], pid: pid ?? null };

async function main(): Promise<void> {
  const isTerminal = process.stderr.isTTY;
  const result = await runSoak(options, (text) => {
    if (isTerminal) process.stderr.write(`\r\u001b[K${text}`);
  });
  if (isTerminal) process.stderr.write('\r\u001b[K');
  console.log(json === true ? reportJson(options, result) : reportText(options, result));
  process.exitCode = passed(result) ? 0 : 1;
}

await main().catch((error: unknown) => {
  console.error(`soak: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
});
