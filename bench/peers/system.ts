import type { Endpoint } from '../load/connection.ts';
import type { ProtocolChoice } from '../load/protocol.ts';
import type { Guarantees } from '../report-schema.ts';
import type { Scenario } from '../scenarios.ts';

export type Availability =
  | { readonly available: true; readonly version: string }
  | { readonly available: false; readonly why: string };

/** What a system is started for. */
export interface StartRequest {
  readonly daemons: number;
  readonly network: 'loopback' | 'namespaces';
  /** An empty directory for configuration and data; removed afterwards. */
  readonly directory: string;
}

export interface RunningSystem {
  /** One per daemon. */
  readonly endpoints: readonly Endpoint[];
  /** Where senders connect, when that is somewhere else. */
  readonly senderEndpoints?: readonly Endpoint[];
  readonly pids: readonly number[];
  stop(): Promise<void>;
}

/** Something that can be measured: this project in one configuration, or what people would use instead. */
export interface System {
  readonly id: string;
  readonly title: string;
  readonly guarantees: Guarantees;
  /** One line on how it is started, for the report. */
  readonly configuration: string;
  /** Debian packages that provide it; none when Debian has none, or none is needed. */
  readonly debianPackages: readonly string[];
  availability(): Promise<Availability>;
  /** Why a scenario makes no sense here, or null. */
  unsuited(scenario: Scenario): string | null;
  protocol(scenario: Scenario): ProtocolChoice;
  start(request: StartRequest): Promise<RunningSystem>;
}

/** For brokers that know one daemon, one kind of order and no safe delivery. */
export function singleBrokerUnsuited(scenario: Scenario): string | null {
  if (scenario.daemons > 1) return 'no totally ordered cluster';
  if (scenario.service === 'safe') return 'no safe delivery';
  return null;
}
