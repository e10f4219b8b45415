/** The quiet end of a run: sending has stopped, everything sent has arrived, and the daemons form one ring. */
import type { ObservedClient } from './observed-client.ts';
import type { Station } from './station.ts';
import { WITNESS_GROUP } from './trace-of-run.ts';

const WITHIN_MS = 90_000;

/** Resolves when every running daemon has a view with the witnesses of exactly the running daemons. */
export async function together(stations: readonly Station[], withinMs = WITHIN_MS): Promise<void> {
  const witnesses = stations.flatMap(({ witness }) => (witness === null ? [] : [witness]));
  const names = witnesses.map((witness) => witness.name).sort();
  const views = (): string =>
    witnesses.map((w) => `${w.name} has ${w.membersOf(WITNESS_GROUP).join(' ') || 'none'}`).join('; ');
  const isDone = (): boolean =>
    witnesses.every((witness) => [...witness.membersOf(WITNESS_GROUP)].sort().join() === names.join());
  while (!isDone())
    await Promise.any(
      witnesses.map((witness) => {
        const before = viewsSeen(witness);
        return witness.until(
          () => viewsSeen(witness) !== before || isDone(),
          () => `one view of all: ${views()}`,
          withinMs,
        );
      }),
    );
}

/**
 * Ends the load, waits until the daemons form one ring, and until every client has received everything. When the ring breaks in
 * the meantime, as it may on a machine that stalls, it waits for all of this again.
 */
export async function settle(stations: readonly Station[]): Promise<void> {
  await Promise.all(stations.map((station) => station.stopLoad()));
  const deadline = performance.now() + WITHIN_MS;
  for (;;) {
    await together(stations);
    const clients = stations.flatMap((station) => station.clients).filter((client) => !client.ended);
    const witnesses = clients.filter((client) => client.record.isWitness);
    const before = witnesses.map(viewsSeen);
    const isUndisturbed = (): boolean => witnesses.every((witness, i) => viewsSeen(witness) === before[i]);
    await Promise.all(clients.map((client) => client.barrier()));
    await lastMessages(witnesses, () => !isUndisturbed());
    await Promise.all(clients.map((client) => client.barrier()));
    if (isUndisturbed()) return;
    if (performance.now() > deadline) throw new Error(`the daemons did not stay in one ring for ${WITHIN_MS} ms`);
  }
}

const viewsSeen = (witness: ObservedClient): number => witness.viewCount(WITNESS_GROUP);

/** Each witness sends a last message; resolves when all have all of them, or at the first disturbance. */
async function lastMessages(witnesses: readonly ObservedClient[], isDisturbed: () => boolean): Promise<void> {
  const last = witnesses.map((witness) => {
    witness.multicast([WITNESS_GROUP], { service: 'safe' });
    return witness.record.sent.at(-1)!.message;
  });
  await Promise.all(
    witnesses.map((witness) => {
      const missing = new Set<number>(last);
      const { observations } = witness.record;
      let looked = 0;
      const hasAll = (): boolean => {
        for (; looked < observations.length; looked++) {
          const event = observations[looked]!;
          if (event.kind === 'message') missing.delete(event.message);
        }
        return missing.size === 0;
      };
      return witness.until(
        () => hasAll() || isDisturbed(),
        () => `the last messages ${[...missing].join(' ')}`,
      );
    }),
  );
}
