/** Takes accepted connections in: a session for each, which the handshakes carries through the handshake. */
import type { ControlWords } from '../../engine/buffers/control-words.ts';
import { DeliveryCounter } from '../../engine/buffers/counters.ts';
import type { LogPosition } from '../../engine/buffers/log-position.ts';
import { sessionHandle } from '../../engine/wire/ids.ts';
import { RESULT_CODES } from '../../engine/wire/result-codes.ts';
import { ServerHandshake } from '../../engine/wire/server-handshake.ts';
import type { ConnectionHost, ListenerSettings } from './client-listener.ts';
import { ClientSession } from './client-session.ts';
import { type ClientTransport, keepAliveOf, type TransportPeer, type TransportReceiver } from './client-transport.ts';
import type { DeliverySettings } from './delivery-settings.ts';
import type { Handshakes } from './handshakes.ts';
import type { Live } from './live.ts';
import type { LogDelivery } from './log-delivery.ts';
import type { ReadBuffers } from './read-buffers.ts';
import type { RefusalLog } from './refusal-log.ts';
import type { SessionEnds } from './session-ends.ts';
import { SessionOutput } from './session-output.ts';

export interface ReceptionOptions {
  readonly worker: number;
  readonly workers: number;
}

export interface ReceptionParts {
  readonly buffers: ReadBuffers;
  readonly log: LogPosition;
  /** By handle. */
  readonly sessions: Map<number, ClientSession>;
  readonly settings: Live<Pick<DeliverySettings, 'auth' | 'maxSessions'> & ListenerSettings>;
  readonly handshakes: Handshakes;
  readonly delivery: LogDelivery;
  readonly ends: SessionEnds;
  readonly refusals: RefusalLog;
  readonly counters: Float64Array;
  /** They tell how many sessions the daemon has. */
  readonly words: ControlWords;
  readonly now: () => number;
  readonly schedule: () => void;
  /** Takes what the session's transport brings. */
  readonly receiverFor: (session: ClientSession) => TransportReceiver;
}

export class Reception implements ConnectionHost {
  readonly buffers: ReadBuffers;
  /** Connections so far. */
  acceptedCount = 0;
  readonly settings: Live<ListenerSettings>;
  readonly counters: Float64Array;
  readonly #options: ReceptionOptions;
  readonly #parts: ReceptionParts;
  /** The log's data as the type that Node's sockets take without wrapping it. */
  readonly #logBytes: Buffer;
  #serial = 0;
  /** Why no connection becomes a session any more; null: they do. */
  #closedFor: string | null = null;

  constructor(options: ReceptionOptions, parts: ReceptionParts) {
    this.#options = options;
    this.#parts = parts;
    this.buffers = parts.buffers;
    this.settings = parts.settings;
    this.counters = parts.counters;
    this.#logBytes = Buffer.from(parts.log.bytes.buffer);
  }

  accepted(transport: ClientTransport): void {
    const { sessions, settings, handshakes, ends, counters, words, now, schedule } = this.#parts;
    const { worker, workers } = this.#options;
    const { maxSessions, clientTimeoutMs } = settings.current;
    this.acceptedCount++;
    counters[DeliveryCounter.ConnectionsAccepted]!++;
    // Handles are unique in the daemon: each worker counts in steps of all of them.
    const handle = sessionHandle((this.#serial++ * workers + worker) >>> 0);
    const handshake = new ServerHandshake(settings.current.auth);
    const session: ClientSession = new ClientSession(
      handle,
      transport,
      this.#output(transport, () => session),
      handshake,
    );
    sessions.set(handle, session);
    transport.attach(this.#parts.receiverFor(session));
    transport.keepAlive(keepAliveOf(clientTimeoutMs));
    handshakes.begin(session, now());
    schedule();
    if (this.#closedFor !== null) handshakes.refuse(session, this.#closedFor);
    if (session.state !== 'handshake' || words.sessions < maxSessions) return;
    const bytes = Uint8Array.of(RESULT_CODES.REJECT_QUOTA & 0xff);
    ends.refuse(session, bytes, `sessions: the limit of ${maxSessions} is reached`);
  }

  /** Connections that come from here on, and those that are no sessions yet, are told that the daemon is busy. */
  close(reason: string): void {
    this.#closedFor = reason;
    this.#parts.handshakes.refuseAll(reason);
  }

  tlsFailed(peer: TransportPeer, reason: string): void {
    this.#parts.refusals.refusedPeer(peer.label, `TLS: ${reason}`, this.#parts.now());
  }

  crowded(reason: string): void {
    this.#parts.refusals.crowded(reason, this.#parts.now());
  }

  acceptFailed({ code, message }: NodeJS.ErrnoException): void {
    const { counters, refusals, now } = this.#parts;
    const acceptErrors = ++counters[DeliveryCounter.AcceptErrors]!;
    refusals.notAccepted(code ?? message, acceptErrors, now());
  }

  #output(transport: ClientTransport, session: () => ClientSession): SessionOutput {
    const { log, delivery } = this.#parts;
    return new SessionOutput(log, this.#logBytes, delivery.store, transport, () => delivery.unblocked(session()));
  }
}
