/** Sessions without clients. Their transports take everything at once and drop it. */
import { createOrderedLog } from '../../engine/buffers/ordered-log.ts';
import { OrderedLogReader } from '../../engine/buffers/ordered-log-reader.ts';
import { SenderIdentity } from '../../engine/wire/frame-scanner.ts';
import { sessionHandle } from '../../engine/wire/ids.ts';
import { ServerHandshake } from '../../engine/wire/server-handshake.ts';
import { ClientSession } from '../../workers/delivery/client-session.ts';
import { KeptBytes } from '../../workers/delivery/kept-bytes.ts';
import { SessionOutput } from '../../workers/delivery/session-output.ts';
import { SENDER } from './frames.ts';
import { SwallowingTransport } from './swallowing-transport.ts';

const emptyLog = (): OrderedLogReader =>
  new OrderedLogReader(createOrderedLog({ termBytes: 1024, termBufferCount: 2, indexEntries: 16, readers: 1 }), 0);

/** An open session that receives from `log`. */
export function createSession(handle: number, log: OrderedLogReader = emptyLog()): ClientSession {
  const transport = new SwallowingTransport();
  const output = new SessionOutput(
    log,
    Buffer.from(log.bytes.buffer),
    new KeptBytes(log.shape.termBytes),
    transport,
    () => {},
  );
  const handshake = new ServerHandshake({ allowed: ['NULL'], required: [] });
  const session = new ClientSession(sessionHandle(handle), transport, output, handshake);
  session.state = 'open';
  session.privateName = SENDER;
  session.identity = new SenderIdentity(SENDER);
  return session;
}
