import { ALL_CHECKS } from './checks/all-checks.ts';
import type { History } from './history/history.ts';
import type { DriverFigures } from './messages.ts';

export interface PropertyTally {
  readonly property: string;
  readonly title: string;
  checked: number;
  violations: number;
  readonly examples: string[];
}

export interface TrafficTally {
  sent: number;
  ordered: number;
  delivered: number;
  deliveredBytes: number;
  joins: number;
  leaves: number;
  closes: number;
  crashes: number;
  connects: number;
  views: number;
  viewsReceived: number;
  throttledTicks: number;
  slowestConnectMs: number;
  longestStallMs: number;
}

const MAX_EXAMPLES = 12;

/** The figures of a run so far: applies every check to each epoch and adds up. */
export class Tally {
  readonly properties: readonly PropertyTally[] = ALL_CHECKS.map(({ property, title }) => ({
    property,
    title,
    checked: 0,
    violations: 0,
    examples: [],
  }));
  readonly traffic: TrafficTally = {
    sent: 0,
    ordered: 0,
    delivered: 0,
    deliveredBytes: 0,
    joins: 0,
    leaves: 0,
    closes: 0,
    crashes: 0,
    connects: 0,
    views: 0,
    viewsReceived: 0,
    throttledTicks: 0,
    slowestConnectMs: 0,
    longestStallMs: 0,
  };
  epochs = 0;
  checkingMs = 0;

  get violations(): number {
    return this.properties.reduce((sum, { violations }) => sum + violations, 0);
  }

  check(history: History): void {
    const startMs = performance.now();
    for (const [i, { check }] of ALL_CHECKS.entries()) {
      const { checked, violationCount, violations } = check(history);
      const tally = this.properties[i];
      tally.checked += checked;
      tally.violations += violationCount;
      for (const text of violations)
        if (tally.examples.length < MAX_EXAMPLES) tally.examples.push(`epoch ${history.epoch}: ${text}`);
    }
    const { traffic } = this;
    traffic.ordered += history.messages.length;
    traffic.views += history.views.length;
    for (const { requests } of history.sessions)
      for (const { kind } of requests)
        if (kind === 'join') traffic.joins++;
        else traffic.leaves++;
    this.epochs++;
    this.checkingMs += performance.now() - startMs;
  }

  add(figures: DriverFigures): void {
    const { traffic } = this;
    const { slowestConnectMs, longestStallMs, ...counted } = figures;
    for (const key of Object.keys(counted) as (keyof typeof counted)[]) traffic[key] += counted[key];
    traffic.slowestConnectMs = Math.max(traffic.slowestConnectMs, slowestConnectMs);
    traffic.longestStallMs = Math.max(traffic.longestStallMs, longestStallMs);
  }
}
