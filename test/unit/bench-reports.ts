/** Small reports for tests of pages and comparisons. */
import type { Report, ReportSystem, Run } from '../../bench/report-schema.ts';

export const system = (id: string, title: string, available = true): ReportSystem => ({
  id,
  title,
  guarantees: { order: 'o', reliability: 'r', membership: 'm' },
  available,
  detail: '1.0',
  configuration: 'c',
});

export const run = (id: string, deliveriesPerSecond: number | null): Run => ({
  scenario: 'one-to-one-64',
  system: id,
  repeat: 1,
  startedAt: '2026-01-02T03:04:05.000Z',
  metrics:
    deliveriesPerSecond === null
      ? null
      : {
          deliveriesPerSecond,
          messagesPerSecond: deliveriesPerSecond,
          megabytesPerSecond: 1,
          sent: 1,
          delivered: 1,
          lost: 0,
          disorder: 0,
          oneOrder: null,
          latency: null,
          lateness: null,
          systemCores: 1,
          systemPeakResidentBytes: 1,
          generatorCores: 1,
        },
  error: deliveriesPerSecond === null ? 'broken' : null,
  windowMessages: 8192,
  ratePerSecond: null,
});

export const report = (systems: ReportSystem[], runs: Run[]): Report => ({
  reportVersion: 1,
  createdAt: '2026-01-02T03:04:05.000Z',
  durationSeconds: 1,
  command: 'npm run bench',
  commit: 'abc123+',
  machine: {
    cpu: 'cpu',
    cores: 2,
    memoryBytes: 1,
    kernel: 'k',
    distribution: 'd',
    node: 'v20.1.0',
    loadAverageBefore: 0,
  },
  measureSeconds: 1,
  warmUpSeconds: 0,
  latencyWarmUpSeconds: 0,
  systems,
  scenarios: [
    {
      id: 'one-to-one-64',
      title: '1 to 1, 64 B',
      family: 'size',
      kind: 'throughput',
      senders: 1,
      receivers: 1,
      groups: 1,
      idleClients: 0,
      noDelay: false,
      daemons: 1,
      network: 'loopback',
      payloadBytes: 64,
      service: 'agreed',
      batch: 32,
      ratePerSecond: null,
    },
  ],
  runs,
});
