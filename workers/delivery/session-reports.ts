/** Reports on the sessions of a worker. */
import { MAX_REPORTED, type SessionReport } from '../inspection.ts';
import { largest } from '../largest.ts';
import type { ClientSession } from './client-session.ts';

/** Above every number of messages: a session with something waiting comes before one with nothing. */
const WAITING_FIRST = 2 ** 52;

export interface SessionReports {
  /** At most `MAX_REPORTED`: those with most waiting, then those with most traffic. */
  readonly sessions: readonly SessionReport[];
  readonly sessionCount: number;
}

export function reportSessions(sessions: Iterable<ClientSession>, worker: number, nowMs: number): SessionReports {
  let sessionCount = 0;
  function* open(): Generator<ClientSession> {
    for (const session of sessions) {
      if (session.state !== 'open') continue;
      sessionCount++;
      yield session;
    }
  }
  const chosen = largest(open(), MAX_REPORTED, importance);
  return { sessions: chosen.map((session) => report(session, worker, nowMs)), sessionCount };
}

function importance({ output, receivedFrames }: ClientSession): number {
  return output.queuedBytes > 0 ? WAITING_FIRST + output.queuedBytes : receivedFrames + output.sentFrames();
}

function report(session: ClientSession, worker: number, nowMs: number): SessionReport {
  const { output, openedMs, behindSinceMs } = session;
  const lastActiveMs = Math.max(openedMs, session.lastReceivedMs, session.lastSentMs);
  return {
    name: session.privateName,
    peer: session.transport.peer.label,
    isEncrypted: session.transport.peer.isEncrypted === true,
    user: session.user,
    worker,
    openMs: since(openedMs, nowMs),
    idleMs: since(lastActiveMs, nowMs),
    groups: session.groups.size,
    waitingBytes: output.waitingBytes(),
    waitingMessages: output.waitingFrames(),
    behindMs: behindSinceMs === 0 ? 0 : since(behindSinceMs, nowMs),
    droppedMessages: session.droppedTotal,
    isHeld: session.isHeld,
    timesHeld: session.heldCount,
    messagesIn: session.receivedFrames,
    bytesIn: session.receivedBytes,
    messagesOut: output.sentFrames(),
    bytesOut: output.sentBytes(),
  };
}

const since = (fromMs: number, nowMs: number): number => Math.max(0, Math.round(nowMs - fromMs));
