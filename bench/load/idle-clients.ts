/** Connections that are in a group of their own and do nothing: what they cost those that do something is the question. */
import { Connection, type Endpoint, ScratchBuffer } from './connection.ts';
import { connectionName } from './load-task.ts';
import type { ProtocolChoice } from './protocol.ts';
import { createClient } from './protocols/create-client.ts';

/** Groups they are spread over. */
const GROUPS = 100;

/**
 * @param run number of the run, for names
 * @returns (when all are connected and subscribed) what closes them. Rejects when one fails before that
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
