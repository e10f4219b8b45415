/** What the library has in Node and in web pages alike; the entries add how to connect. */

export type { DrainNotice } from '../engine/wire/drain-notice.ts';
export type { PrivateName } from '../engine/wire/ids.ts';
export { ViewId } from '../engine/wire/membership-decode.ts';
export { RESULT_CODES, type ResultCode, type ResultCodeName } from '../engine/wire/result-codes.ts';
export { type AuthOption, ipAuth, nullAuth, type PasswordMethodName, passwordAuth } from './auth.ts';
export type { AuthChannel, AuthMethod } from './auth-method.ts';
export type { PasswordCredentials } from './credentials.ts';
export { type ErrorReason, SkeinError } from './errors.ts';
export type {
  ByteOrder,
  Membership,
  MembershipCause,
  Message,
  ReceivedEvent,
  Reject,
  SelfLeave,
  Transition,
} from './events.ts';
export type { DaemonVersion } from './handshake.ts';
export type { Batch } from './receive/batch.ts';
export type { FrameKind } from './receive/frame-kind.ts';
export type { BatchHandler } from './receive/receiver.ts';
export type { Listeners, ReceivingSession } from './receiving-session.ts';
export { scramAuth } from './scram.ts';
export type { Data } from './send/data.ts';
export type { SendOptions } from './send/frame-template.ts';
export type { SplitTargets, Target } from './send/target.ts';
export type { Service } from './service-names.ts';
export { Session } from './session.ts';
export type { EndEvents, SessionEvents } from './session-events.ts';
export type { Kinded } from './session-feed.ts';
export type { SessionOptions } from './session-options.ts';
