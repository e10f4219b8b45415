import type { Endpoint } from '../load/connection.ts';
import type { ProtocolChoice } from '../load/protocol.ts';
import type { Guarantees } from '../report-schema.ts';
import type { Scenario } from '../scenarios.ts';

export type Availability =
  | { readonly available: true; readonly version: string }
  | { readonly available: false; readonly why: string };

/** How to start a system. */
export interface StartRequest {
  readonly daemons: number;
  readonly network: 'loopback' | 'namespaces';
  /** An empty directory for configuration and data; removed afterwards. */
  readonly directory: string;
}

export interface RunningSystem {
  /** One per daemon. */
  readonly endpoints: readonly Endpoint[];
  /** Where senders connect, if elsewhere. */
  readonly senderEndpoints?: readonly Endpoint[];
  readonly pids: readonly number[];
  stop(): Promise<void>;
}

/** A system that can be measured: this project in one configuration, or an alternative to it. */
export interface System {
  readonly id: string;
  readonly title: string;
  readonly guarantees: Guarantees;
  /** One line about its start, for the report. */
  readonly configuration: string;
  /** Debian packages that provide it; empty: none exists, or none is needed. */
  readonly debianPackages: readonly string[];
  availability(): Promise<Availability>;
  /** Why a scenario does not suit this system, or null. */
  unsuited(scenario: Scenario): string | null;
  protocol(scenario: Scenario): ProtocolChoice;
  start(request: StartRequest): Promise<RunningSystem>;
}

/** For brokers with one daemon, one kind of order and no safe delivery. */
export function singleBrokerUnsuited(scenario: Scenario): string | null {
  if (scenario.daemons > 1) return 'no totally ordered cluster';
  if (scenario.service === 'safe') return 'no safe delivery';
  return null;
}
