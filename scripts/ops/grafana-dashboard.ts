/** The text of ops/grafana/skein.json: a dashboard for all daemons that a Prometheus scrapes. */

interface Panel {
  readonly title: string;
  readonly unit: string;
  /** PromQL with its legend. */
  readonly queries: readonly (readonly [expression: string, legend: string])[];
  readonly stat?: true;
}

const DAEMON = 'daemon=~"$daemon"';
const gauge = (metric: string, by = 'daemon', how = 'sum'): string => `${how} by (${by}) (${metric}{${DAEMON}})`;
const rate = (metric: string, by = 'daemon'): string => `sum by (${by}) (rate(${metric}{${DAEMON}}[$__rate_interval]))`;

const ROWS: readonly (readonly [title: string, panels: readonly Panel[]])[] = [
  [
    'Cluster',
    [
      {
        title: 'Ready',
        unit: 'bool_yes_no',
        stat: true,
        queries: [[gauge('skein_ready', 'daemon', 'min'), '{{daemon}}']],
      },
      {
        title: 'Daemons in the ring',
        unit: 'short',
        queries: [[gauge('skein_ring_members', 'daemon', 'max'), '{{daemon}}']],
      },
      {
        title: 'Membership changes',
        unit: 'short',
        queries: [
          [
            `sum by (daemon) (increase(skein_ring_membership_changes_total{${DAEMON}}[$__rate_interval]))`,
            '{{daemon}}',
          ],
        ],
      },
      {
        title: 'Token rotation',
        unit: 's',
        queries: [[gauge('skein_ring_rotation_seconds', 'daemon', 'max'), '{{daemon}}']],
      },
      {
        title: 'Token losses',
        unit: 'short',
        queries: [
          [`sum by (daemon) (increase(skein_ring_token_losses_total{${DAEMON}}[$__rate_interval]))`, '{{daemon}}'],
        ],
      },
      {
        title: 'Packets asked for again',
        unit: 'percentunit',
        queries: [
          [`${rate('skein_ring_requests_sent_total')} / ${rate('skein_ring_packets_received_total')}`, '{{daemon}}'],
        ],
      },
    ],
  ],
  [
    'Messages',
    [
      { title: 'From clients', unit: 'msg/s', queries: [[rate('skein_delivery_frames_received_total'), '{{daemon}}']] },
      { title: 'Ordered', unit: 'msg/s', queries: [[rate('skein_ring_frames_ordered_total'), '{{daemon}}']] },
      { title: 'To clients', unit: 'msg/s', queries: [[rate('skein_delivery_frames_delivered_total'), '{{daemon}}']] },
      {
        title: 'Bytes from clients',
        unit: 'Bps',
        queries: [[rate('skein_delivery_received_bytes_total'), '{{daemon}}']],
      },
      {
        title: 'Bytes to clients',
        unit: 'Bps',
        queries: [[rate('skein_delivery_delivered_bytes_total'), '{{daemon}}']],
      },
      {
        title: 'Datagrams',
        unit: 'pps',
        queries: [
          [rate('skein_network_datagrams_sent_total'), '{{daemon}} sent'],
          [rate('skein_network_datagrams_received_total'), '{{daemon}} received'],
        ],
      },
    ],
  ],
  [
    'Clients',
    [
      { title: 'Sessions', unit: 'short', queries: [[gauge('skein_delivery_sessions_open'), '{{daemon}}']] },
      { title: 'Groups', unit: 'short', queries: [[gauge('skein_ring_groups', 'daemon', 'max'), '{{daemon}}']] },
      {
        title: 'Slow sessions',
        unit: 'short',
        queries: [[gauge('skein_sessions_slow', 'daemon', 'max'), '{{daemon}}']],
      },
      {
        title: 'Waiting for slow sessions',
        unit: 'bytes',
        queries: [[gauge('skein_delivery_queued_bytes'), '{{daemon}}']],
      },
      {
        title: 'Ended and dropped',
        unit: 'short',
        queries: [
          [
            `sum by (daemon) (increase(skein_delivery_slow_consumers_ended_total{${DAEMON}}[$__rate_interval]))`,
            '{{daemon}} slow consumers ended',
          ],
          [
            `sum by (daemon) (increase(skein_delivery_messages_dropped_total{${DAEMON}}[$__rate_interval]))`,
            '{{daemon}} messages dropped',
          ],
        ],
      },
      {
        title: 'Refused',
        unit: 'short',
        queries: [
          [
            `sum by (daemon) (increase(skein_delivery_handshakes_refused_total{${DAEMON}}[$__rate_interval]))`,
            '{{daemon}} handshakes',
          ],
          [
            `sum by (daemon) (increase(skein_delivery_passwords_wrong_total{${DAEMON}}[$__rate_interval]))`,
            '{{daemon}} passwords',
          ],
        ],
      },
    ],
  ],
  [
    'Process',
    [
      {
        title: 'Busy event loops',
        unit: 'percentunit',
        queries: [[rate('skein_thread_active_seconds_total', 'daemon, thread'), '{{daemon}} {{thread}}']],
      },
      {
        title: 'Duty cycles with work',
        unit: 'percentunit',
        queries: [
          [
            `${rate('skein_agent_busy_cycles_total', 'daemon, agent')} / ${rate('skein_agent_duty_cycles_total', 'daemon, agent')}`,
            '{{daemon}} {{agent}}',
          ],
        ],
      },
      {
        title: 'Delay of the main event loop',
        unit: 's',
        queries: [[gauge('skein_event_loop_delay_seconds', 'daemon, percentile', 'max'), '{{daemon}} p{{percentile}}']],
      },
      {
        title: 'Answers of worker threads',
        unit: 's',
        queries: [[gauge('skein_thread_answer_seconds', 'daemon, thread', 'max'), '{{daemon}} {{thread}}']],
      },
      {
        title: 'Processor time',
        unit: 'percentunit',
        queries: [[rate('skein_process_cpu_seconds_total'), '{{daemon}}']],
      },
      {
        title: 'Memory',
        unit: 'bytes',
        queries: [[`max by (daemon) (skein_process_memory_bytes{${DAEMON},kind="resident"})`, '{{daemon}}']],
      },
    ],
  ],
];

const SOURCE = { type: 'prometheus', uid: '$datasource' };
const WIDTH = 8;
const HEIGHT = 7;
const PANELS_A_LINE = 3;

export function grafanaDashboard(): string {
  const panels: object[] = [];
  let y = 0;
  for (const [title, inRow] of ROWS) {
    panels.push({
      id: panels.length + 1,
      type: 'row',
      title,
      collapsed: false,
      gridPos: { x: 0, y, w: 24, h: 1 },
      panels: [],
    });
    y += 1;
    for (const [i, panel] of inRow.entries()) {
      const place = {
        x: WIDTH * (i % PANELS_A_LINE),
        y: y + HEIGHT * Math.floor(i / PANELS_A_LINE),
        w: WIDTH,
        h: HEIGHT,
      };
      panels.push({ id: panels.length + 1, gridPos: place, ...panelJson(panel) });
    }
    y += HEIGHT * Math.ceil(inRow.length / PANELS_A_LINE);
  }
  const dashboard = {
    uid: 'skein',
    title: 'skein',
    tags: ['skein'],
    timezone: 'browser',
    schemaVersion: 39,
    version: 1,
    editable: true,
    refresh: '10s',
    time: { from: 'now-1h', to: 'now' },
    annotations: {
      list: [
        {
          name: 'Membership changes',
          datasource: SOURCE,
          enable: true,
          iconColor: 'orange',
          expr: `changes(skein_ring_ring_seq{${DAEMON}}[1m]) > 0`,
          titleFormat: 'membership of {{daemon}}',
        },
      ],
    },
    templating: {
      list: [
        { name: 'datasource', label: 'Data source', type: 'datasource', query: 'prometheus' },
        {
          name: 'daemon',
          label: 'Daemon',
          type: 'query',
          datasource: SOURCE,
          query: { query: 'label_values(skein_build_info, daemon)', refId: 'daemons' },
          refresh: 2,
          includeAll: true,
          multi: true,
          current: { text: 'All', value: '$__all' },
        },
      ],
    },
    panels,
  };
  return `${JSON.stringify(dashboard, null, 2)}\n`;
}

function panelJson({ title, unit, queries, stat }: Panel): object {
  return {
    type: stat === true ? 'stat' : 'timeseries',
    title,
    datasource: SOURCE,
    fieldConfig: { defaults: { unit, min: 0 }, overrides: [] },
    options:
      stat === true
        ? { reduceOptions: { calcs: ['lastNotNull'] } }
        : { legend: { displayMode: 'list', placement: 'bottom' } },
    targets: queries.map(([expr, legendFormat], i) => ({
      refId: String.fromCharCode(65 + i),
      datasource: SOURCE,
      expr,
      legendFormat,
    })),
  };
}
