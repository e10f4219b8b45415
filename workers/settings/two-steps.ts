/**
 * One change of many parts: all prepare, which may fail, and then all apply, which may not. When any part refuses, every other one discards
 * what it has prepared and goes on as it was (reload of options: docs/operations.md).
 */

/** What a part has ready. */
export interface Prepared {
  /** Puts it in force. Cannot fail; resolves when it is in force. */
  apply(): void | Promise<void>;
  /** Lets go of what was opened for it. */
  discard(): void;
}

/** One part of the daemon. */
export interface Preparation {
  /** For the answer, when it refuses: `delivery-0`. */
  readonly name: string;
  /** Allocates, parses, opens; changes nothing that is in force. @throws (or rejects with) the reason of a refusal */
  prepare(): Prepared | Promise<Prepared>;
}

export interface PartRefusal {
  /** The part that refused. */
  readonly worker: string;
  readonly reason: string;
}

/** At least one part refused; nothing has changed. */
export class SettingsRefused extends Error {
  override readonly name = 'SettingsRefused';
  readonly refusals: readonly PartRefusal[];

  constructor(refusals: readonly PartRefusal[]) {
    super(refusals.map(({ worker, reason }) => `${worker}: ${reason}`).join('\n'));
    this.refusals = refusals;
  }
}

/** @throws (rejects) SettingsRefused; every part is as it was then */
export async function inTwoSteps(preparations: readonly Preparation[]): Promise<void> {
  const results = await Promise.allSettled(preparations.map(async (one) => one.prepare()));
  const prepared = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  if (prepared.length < results.length) {
    for (const one of prepared) one.discard();
    throw new SettingsRefused(
      results.flatMap((result, i) =>
        result.status === 'rejected'
          ? [{ worker: preparations[i]!.name, reason: (result.reason as Error).message }]
          : [],
      ),
    );
  }
  await Promise.all(prepared.map((one) => one.apply()));
}
