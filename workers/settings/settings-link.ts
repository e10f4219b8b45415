/** How a worker thread is led through the two steps of new settings: the messages, and the supervisor's end of them. */
import type { SettingsSnapshot } from './settings-snapshot.ts';
import type { Prepared } from './two-steps.ts';

export type SettingsMessage =
  /** Prepare it, and say whether you can. */
  | { readonly kind: 'prepare-settings'; readonly snapshot: SettingsSnapshot }
  /** All can: go by it. */
  | { readonly kind: 'apply-settings'; readonly generation: number }
  /** Some cannot: forget it. */
  | { readonly kind: 'discard-settings'; readonly generation: number };

export interface SettingsAnswer {
  readonly kind: 'settings';
  readonly step: 'prepared' | 'applied';
  readonly generation: number;
  /** Why the thread cannot prepare it; null: it can, or has applied it. */
  readonly refusal: string | null;
}

interface Question {
  readonly answered: () => void;
  readonly refused: (reason: Error) => void;
}

export class SettingsLink {
  readonly #post: (message: SettingsMessage) => void;
  readonly #questions = new Map<string, Question>();
  #hasEnded = false;

  /** @param post sends to the thread, and wakes it */
  constructor(post: (message: SettingsMessage) => void) {
    this.#post = post;
  }

  /** @throws (rejects) with the thread's reason */
  async prepare(snapshot: SettingsSnapshot): Promise<Prepared> {
    const { generation } = snapshot;
    await this.#ask('prepared', generation, { kind: 'prepare-settings', snapshot });
    return {
      apply: () => this.#ask('applied', generation, { kind: 'apply-settings', generation }),
      discard: () => {
        if (!this.#hasEnded) this.#post({ kind: 'discard-settings', generation });
      },
    };
  }

  answer({ step, generation, refusal }: SettingsAnswer): void {
    const key = keyOf(step, generation);
    const question = this.#questions.get(key);
    this.#questions.delete(key);
    if (refusal === null) question?.answered();
    else question?.refused(new Error(refusal));
  }

  /** The thread answers no more. */
  end(): void {
    this.#hasEnded = true;
    for (const { refused } of this.#questions.values()) refused(new Error(ENDS));
    this.#questions.clear();
  }

  #ask(step: SettingsAnswer['step'], generation: number, message: SettingsMessage): Promise<void> {
    if (this.#hasEnded) return Promise.reject(new Error(ENDS));
    return new Promise((answered, refused) => {
      this.#questions.set(keyOf(step, generation), { answered, refused });
      this.#post(message);
    });
  }
}

const ENDS = 'the daemon is about to end';
const keyOf = (step: string, generation: number): string => `${step} ${generation}`;
