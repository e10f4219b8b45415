/**
 * What each client of a cluster of real daemons saw, in its own order. A daemon that is restarted is a new process with new
 * clients, as in the simulator's traces.
 */

import type { Membership } from '../../client/index.ts';
import { type MessageId, messageIdOf, type Service } from '../simulation/trace/trace.ts';

export type Observation =
  | {
      readonly kind: 'join-requested' | 'leave-requested' | 'self-leave';
      readonly atMs: number;
      readonly group: string;
    }
  | { readonly kind: 'view'; readonly atMs: number; readonly group: string; readonly view: Membership }
  | { readonly kind: 'transition'; readonly atMs: number; readonly group: string; readonly id: Membership['viewId'] }
  | {
      readonly kind: 'message';
      readonly atMs: number;
      readonly message: MessageId;
      readonly sender: string;
      readonly groups: readonly string[];
      readonly service: Service;
      readonly contentHash: number;
    };

export interface SentMessage {
  readonly message: MessageId;
  readonly atMs: number;
  readonly groups: readonly string[];
  readonly service: Service;
  readonly selfDiscard: boolean;
  readonly contentHash: number;
  /** How many observations its client had made when it sent this. */
  readonly position: number;
}

export interface ClientRecord {
  readonly client: number;
  readonly process: ProcessRecord;
  readonly member: string;
  /** It is in the group of witnesses from its start and receives all messages and views of that group. */
  readonly isWitness: boolean;
  readonly observations: Observation[];
  readonly sent: SentMessage[];
  /** Its connection ended before the run did. */
  disconnected: boolean;
}

/** One run of one daemon. */
export interface ProcessRecord {
  readonly process: number;
  readonly node: number;
  readonly incarnation: number;
  readonly startedAtMs: number;
  end: 'running' | 'crashed' | 'stopped';
  endedAtMs: number;
  messages: number;
}

export class RunRecord {
  readonly processes: ProcessRecord[] = [];
  readonly clients: ClientRecord[] = [];
  /** Daemons that ended unexpectedly. */
  readonly failures: string[] = [];

  started(node: number): ProcessRecord {
    const process: ProcessRecord = {
      process: this.processes.length,
      node,
      incarnation: this.processes.filter((earlier) => earlier.node === node).length + 1,
      startedAtMs: performance.now(),
      end: 'running',
      endedAtMs: 0,
      messages: 0,
    };
    this.processes.push(process);
    return process;
  }

  ended(process: ProcessRecord, end: 'crashed' | 'stopped'): void {
    process.end = end;
    process.endedAtMs = performance.now();
  }

  connected(process: ProcessRecord, member: string, isWitness: boolean): ClientRecord {
    const client: ClientRecord = {
      client: this.clients.length,
      process,
      member,
      isWitness,
      observations: [],
      sent: [],
      disconnected: false,
    };
    this.clients.push(client);
    return client;
  }
}

export const nextMessage = (process: ProcessRecord): MessageId => messageIdOf(process.process, ++process.messages);
