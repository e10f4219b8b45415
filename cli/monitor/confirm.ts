import { createInterface } from 'node:readline/promises';
import { CliError, ExitCode } from '../exit.ts';

/**
 * Asks at the terminal whether to go on.
 * @throws (rejects) CliError when the answer is not yes, or there is no terminal to ask at
 */
export async function confirm(question: string): Promise<void> {
  if (process.stdin.isTTY !== true)
    throw new CliError('standard input is not a terminal to confirm at; give --yes', ExitCode.Usage);
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  const controller = new AbortController();
  lines.once('close', () => controller.abort());
  try {
    const answer = await lines.question(`${question} [y/N] `, { signal: controller.signal }).catch(() => '');
    if (!/^y(es)?$/i.test(answer.trim())) throw new CliError('nothing was done');
  } finally {
    lines.close();
  }
}
