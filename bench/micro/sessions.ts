/** Sessions without clients: their sockets take everything at once and do nothing with it. */
import { Socket } from 'node:net';
import { createOrderedLog, OrderedLogReader } from '../../engine/buffers/ordered-log.ts';
import { SenderIdentity } from '../../engine/wire/frame-scanner.ts';
import { ServerHandshake } from '../../engine/wire/handshake.ts';
import { sessionHandle } from '../../engine/wire/ids.ts';
import { KeptBytes } from '../../workers/delivery/kept-bytes.ts';
import { ClientSession } from '../../workers/delivery/session.ts';
import { SessionInput } from '../../workers/delivery/session-input.ts';
import { SessionOutput } from '../../workers/delivery/session-output.ts';
import { SENDER } from './frames.ts';

class SwallowingSocket extends Socket {
  override write(): boolean {
    return true;
  }
}

const emptyLog = (): OrderedLogReader =>
  new OrderedLogReader(createOrderedLog({ segmentBytes: 1024, segmentCount: 2, indexEntries: 16, readers: 1 }), 0);

/** An open session that receives from `log`. */
export function createSession(handle: number, log: OrderedLogReader = emptyLog()): ClientSession {
  const socket = new SwallowingSocket();
  const output = new SessionOutput(
    log,
    Buffer.from(log.bytes.buffer),
    new KeptBytes(log.shape.segmentBytes),
    socket,
    () => {},
  );
  const handshake = new ServerHandshake({ allowed: ['NULL'], required: [] });
  const session = new ClientSession(
    sessionHandle(handle),
    socket,
    'bench',
    'bench',
    new SessionInput(),
    output,
    handshake,
    { isLong: true },
  );
  session.state = 'open';
  session.privateName = SENDER;
  session.identity = new SenderIdentity(SENDER);
  return session;
}
