/** Connections that are in groups of their own and do nothing. They show what idle clients cost the active ones. */
import { Connection, type Endpoint, ScratchBuffer } from './connection.ts';
import { connectionName } from './load-task.ts';
import type { ProtocolChoice } from './protocol.ts';
import { createClient } from './protocols/create-client.ts';

/** The idle clients are spread over these groups. */
const GROUPS = 100;

/**
 * @param run number of the run, for names
 * @returns resolves with a function that closes them when all are connected and subscribed; rejects when one fails before
 */
export async function openIdleClients(
  count: number,
  endpoints: readonly Endpoint[],
  protocol: ProtocolChoice,
  run: number,
): Promise<() => void> {
  const scratch = new ScratchBuffer();
  const connections: Connection[] = [];
  const close = (): void => {
    for (const connection of connections) connection.close();
  };
  let ready = 0;
  try {
    await new Promise<void>((resolve, reject) => {
      if (count === 0) resolve();
      for (let i = 0; i < count; i++) {
        const client = createClient(protocol, {
          name: connectionName('idle', run, i),
          group: `bench.idle.${i % GROUPS}`,
          sink: { onPayload() {} },
        });
        let counted = false;
        connections.push(
          new Connection(endpoints[i % endpoints.length], client, scratch, {
            beforeChunk() {},
            onChunk() {
              if (counted || !client.ready) return;
              counted = true;
              if (++ready === count) resolve();
            },
            onDrain() {},
            onFailure: (error) => reject(new Error(`idle client ${i}: ${error.message}`)),
          }),
        );
      }
    });
  } catch (error) {
    close();
    throw error;
  }
  return close;
}
