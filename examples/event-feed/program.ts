import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** One program of the feed, in its own process, and its reports. */
export class Program {
  readonly name: string;
  readonly #process: ChildProcess;
  readonly #told = new Map<string, object>();
  #listener: () => void = () => undefined;

  /** @param name of a built program beside this one */
  constructor(name: string, ...args: readonly string[]) {
    this.name = name;
    const file = fileURLToPath(new URL(`./${name}.js`, import.meta.url));
    this.#process = spawn(process.execPath, [file, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
    createInterface({ input: this.#process.stdout! }).on('line', (line) => {
      const message = JSON.parse(line) as { readonly tells: string };
      this.#told.set(message.tells, message);
      this.#listener();
    });
    this.#process.on('close', () => this.#listener());
  }

  /** The program's report with this heading. Rejects when it ends without one. */
  hears<Told extends object>(heading: string): Promise<Told> {
    return new Promise((resolve, reject) => {
      this.#listener = () => {
        const message = this.#told.get(heading);
        if (message !== undefined) resolve(message as Told);
        else if (this.#process.exitCode !== null || this.#process.signalCode !== null)
          reject(new Error(`${this.name} ended without telling its ${heading}`));
      };
      this.#listener();
    });
  }

  kill(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }
}
