/** A worker thread's end of the two steps of new settings (settings-link.ts). */
import type { SettingsAnswer, SettingsMessage } from './settings-link.ts';
import type { SettingsSnapshot } from './settings-snapshot.ts';

/** @returns puts it in force, which cannot fail @throws the reason why it cannot be; nothing has changed then */
export type PrepareSettings = (snapshot: SettingsSnapshot) => () => void;

export class SettingsDesk {
  readonly #prepare: PrepareSettings;
  readonly #tell: (answer: SettingsAnswer) => void;
  #prepared: { readonly generation: number; readonly apply: () => void } | null = null;

  constructor(prepare: PrepareSettings, tell: (answer: SettingsAnswer) => void) {
    this.#prepare = prepare;
    this.#tell = tell;
  }

  /** Between two duty cycles. @throws what an agent throws that cannot apply what it has prepared */
  handle(message: SettingsMessage): void {
    if (message.kind === 'prepare-settings') {
      const { generation } = message.snapshot;
      let refusal: string | null = null;
      try {
        this.#prepared = { generation, apply: this.#prepare(message.snapshot) };
      } catch (error) {
        refusal = (error as Error).message;
      }
      this.#tell({ kind: 'settings', step: 'prepared', generation, refusal });
      return;
    }
    const prepared = this.#prepared;
    if (prepared?.generation !== message.generation) return;
    this.#prepared = null;
    if (message.kind === 'discard-settings') return;
    prepared.apply();
    this.#tell({ kind: 'settings', step: 'applied', generation: message.generation, refusal: null });
  }
}
