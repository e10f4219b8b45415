import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { CliError, ExitCode } from './exit.ts';

/**
 * Asks for a secret without showing it. When standard input is no terminal, or is not to be one, the secret is its first line.
 * @throws (rejects) CliError when there is no line, or the user pressed Ctrl-C
 */
export async function readSecret(prompt: string, isPlain = false): Promise<string> {
  const isTerminal = process.stdin.isTTY === true && !isPlain;
  if (isTerminal) process.stderr.write(prompt);
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: nowhere, terminal: isTerminal });
  try {
    return await new Promise<string>((resolve, reject) => {
      lines.once('line', resolve);
      lines.once('SIGINT', () => reject(new CliError('interrupted', ExitCode.Interrupted)));
      lines.once('close', () => reject(new CliError('no password on standard input')));
    });
  } finally {
    lines.close();
    if (isTerminal) process.stderr.write('\n');
  }
}
