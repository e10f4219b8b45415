/**
 * Branded types: a number or string that went through the right door carries its meaning in the type.
 * They cost nothing at run time.
 */
declare const brand: unique symbol;
type Brand<T, Name extends string> = T & { readonly [brand]: Name };

/** Position of a daemon in the configuration file (segment by segment, line by line): 0-based. */
export type NodeIndex = Brand<number, 'NodeIndex'>;

/** Number of one incarnation of one daemon; a restarted daemon has a larger one. Below 2^48. */
export type Incarnation = Brand<number, 'Incarnation'>;

/**
 * One client connection of this daemon, a u32 that is not reused while the daemon lives:
 * `serial * deliveryWorkers + worker`, where `worker` is the delivery worker that owns the socket.
 */
export type SessionHandle = Brand<number, 'SessionHandle'>;

/** A private group name as on the wire: `#user#daemon`. */
export type PrivateName = Brand<string, 'PrivateName'>;

export const nodeIndex = (value: number): NodeIndex => value as NodeIndex;
export const incarnation = (value: number): Incarnation => value as Incarnation;
export const sessionHandle = (value: number): SessionHandle => value as SessionHandle;
export const privateName = (user: string, daemon: string): PrivateName => `#${user}#${daemon}` as PrivateName;
