/** State of one client connection in its delivery worker. The files beside this one act on it. */
import type { SubjectRights } from '../../engine/access/subject-rights.ts';
import type { SenderIdentity } from '../../engine/wire/frame-scanner.ts';
import type { SessionHandle } from '../../engine/wire/ids.ts';
import type { ServerHandshake } from '../../engine/wire/server-handshake.ts';
import { shareKey } from './client-address.ts';
import type { ClientTransport } from './client-transport.ts';
import type { PasswordCheck } from './password-checker.ts';
import { SessionInput } from './session-input.ts';
import type { SessionOutput } from './session-output.ts';

/**
 * `handshake`: not yet a session. `open`: messages flow. `closing`: nothing is delivered any more, but what the client had sent
 * is still being ordered. `closed`: its disconnect is in the order, or it never was a session.
 */
export type SessionState = 'handshake' | 'open' | 'closing' | 'closed';

export class ClientSession {
  readonly handle: SessionHandle;
  readonly transport: ClientTransport;
  /** Connections with the same share are counted together until they are sessions; see `shareKey`. */
  readonly share: string;
  readonly input = new SessionInput();
  readonly output: SessionOutput;
  readonly handshake: ServerHandshake;
  state: SessionState = 'handshake';
  /** `#user#daemon`; empty until the client has asked for a name. */
  privateName = '';
  /** User of its login, or common name of its certificate; null: it did not say who it is. */
  user: string | null;
  /** By which password `user` is known; null: by none. */
  provenBy: 'PWORD' | 'SCRAM-SHA-256' | null = null;
  /** What `AccessFile` lets it do; null: nobody has asked. */
  rights: SubjectRights | null = null;
  /** Whether the ring agent was asked if the name is free, was asked for it, or holds it for this connection. */
  nameState: 'none' | 'checked' | 'asked' | 'held' = 'none';
  /** Waits for its verdict, or is being computed. */
  passwordCheck: PasswordCheck | null = null;
  wantsMembership = false;
  /** Its CONNECT said that it understands notices. Nobody else is ever sent one. */
  takesNotices = false;
  /** It was told that the daemon drains. */
  isToldToMove = false;
  identity: SenderIdentity | null = null;
  /** The connection is there to be written to. */
  receives = true;
  /** In the worker's list of sessions to flush. */
  dirty = false;
  /** Number of the last message this session was listed for; keeps a multi-group message to one copy. */
  stamp = 0;
  /** Groups it will be in when all that it has sent is ordered: joins and leaves take effect as they were sent. */
  readonly groups = new Set<string>();
  /** UNRELIABLE messages dropped since the client was last told. */
  droppedFrames = 0;
  droppedTotal = 0;
  /** Messages of the client, and bytes of all its frames. */
  receivedFrames = 0;
  receivedBytes = 0;
  /** By the worker's clock of its duty cycles: when it became a session, and when something last came from it and went to it. */
  openedMs = 0;
  lastReceivedMs = 0;
  lastSentMs = 0;
  /** Since when it has had something waiting, without a break; 0: nothing waits. */
  behindSinceMs = 0;

  /** In the table of rates; 0: none. */
  userEntry = 0;
  addressEntry = 0;
  /** One of them has a rate to keep to. */
  isRated = false;
  /** Not read because of it; since when without a break, and when that last ended, by the clock of all workers; and how often so far. */
  isHeld = false;
  heldSinceMs = 0;
  releasedMs = 0;
  heldCount = 0;

  /** @param output of the same transport */
  constructor(handle: SessionHandle, transport: ClientTransport, output: SessionOutput, handshake: ServerHandshake) {
    this.handle = handle;
    this.transport = transport;
    this.share = shareKey(transport.peer.address);
    this.user = transport.peer.certificate ?? null;
    this.output = output;
    this.handshake = handshake;
  }
}
