import type { Interface } from 'node:readline';

/** Reads lines one by one, and prints without disturbing the line being typed. */
export class LineInput {
  readonly #reader: Interface;
  readonly #isTerminal: boolean;
  readonly #lines: string[] = [];
  #waiting: ((line: string | null) => void) | null = null;
  #closed = false;

  constructor(reader: Interface, isTerminal: boolean) {
    this.#reader = reader;
    this.#isTerminal = isTerminal;
    reader.on('line', (line) => {
      const waiting = this.#waiting;
      this.#waiting = null;
      if (waiting === null) this.#lines.push(line);
      else waiting(line);
    });
    reader.on('close', () => {
      this.#closed = true;
      // Later output begins on a new line.
      if (isTerminal && this.#waiting !== null) process.stdout.write('\n');
      this.#waiting?.(null);
      this.#waiting = null;
    });
  }

  /** The next line; null at the end of input. */
  next(prompt: string): Promise<string | null> {
    const line = this.#lines.shift();
    if (line !== undefined) return Promise.resolve(line);
    if (this.#closed) return Promise.resolve(null);
    if (this.#isTerminal) {
      this.#reader.setPrompt(prompt);
      this.#reader.prompt();
    }
    return new Promise((resolve) => {
      this.#waiting = resolve;
    });
  }

  print(text: string): void {
    const isTyping = this.#isTerminal && this.#waiting !== null;
    process.stdout.write(isTyping ? `\r\u001b[K${text}\n` : `${text}\n`);
    if (isTyping) this.#reader.prompt(true);
  }
}
