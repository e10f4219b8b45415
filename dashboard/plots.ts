/** Rates and latency of the last two minutes. */
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import type { Sample } from '../daemon/http/status-types.ts';
import { element } from './dom.ts';
import { bytes, count, time } from './format.ts';

const MAX_SAMPLES = 120;
const HEIGHT_PX = 150;

type Color = 'blue' | 'orange' | 'violet';

interface Line {
  readonly label: string;
  readonly color: Color;
  readonly of: (sample: Sample) => number | null;
}

interface PlotSpec {
  readonly title: string;
  readonly unit: (value: number) => string;
  readonly lines: readonly Line[];
}

const PLOTS: readonly PlotSpec[] = [
  {
    title: 'Messages a second',
    unit: count,
    lines: [
      { label: 'from clients', color: 'orange', of: ({ messagesIn }) => messagesIn },
      { label: 'ordered', color: 'violet', of: ({ messagesOrdered }) => messagesOrdered },
      { label: 'to clients', color: 'blue', of: ({ messagesOut }) => messagesOut },
    ],
  },
  {
    title: 'Bytes a second',
    unit: bytes,
    lines: [
      { label: 'from clients', color: 'orange', of: ({ bytesIn }) => bytesIn },
      { label: 'to clients', color: 'blue', of: ({ bytesOut }) => bytesOut },
    ],
  },
  {
    title: 'Latency, ms',
    unit: (value) => String(value),
    lines: [
      { label: 'token rotation', color: 'orange', of: ({ rotationMs }) => rotationMs },
      { label: 'worker answers', color: 'violet', of: ({ answerMs }) => answerMs },
      { label: 'event loop, p99', color: 'blue', of: ({ loopDelayMs }) => loopDelayMs },
    ],
  },
  {
    title: 'Waiting for slow clients',
    unit: bytes,
    lines: [{ label: 'bytes', color: 'orange', of: ({ queuedBytes }) => queuedBytes }],
  },
];

export class Plots {
  readonly #frames: readonly { readonly spec: PlotSpec; readonly place: HTMLElement }[];
  #plots: uPlot[] = [];
  #samples: Sample[] = [];

  constructor(place: HTMLElement) {
    this.#frames = PLOTS.map((spec) => {
      const keys = spec.lines.map(({ label, color }) => element('span', `key ${color}`, label));
      const canvas = element('div', '');
      place.append(element('div', 'plot', element('h3', '', spec.title, ...keys), canvas));
      return { spec, place: canvas };
    });
    this.#make();
    // Canvas knows no styles: colours are read when they change.
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#make());
    new ResizeObserver(() => this.#resize()).observe(place);
  }

  /** Begins anew. */
  show(samples: readonly Sample[]): void {
    this.#samples = [...samples].slice(-MAX_SAMPLES);
    this.#draw();
  }

  add(sample: Sample): void {
    this.#samples.push(sample);
    if (this.#samples.length > MAX_SAMPLES) this.#samples.shift();
    this.#draw();
  }

  #make(): void {
    for (const plot of this.#plots) plot.destroy();
    const style = getComputedStyle(document.documentElement);
    const color = (name: string): string => style.getPropertyValue(`--${name}`).trim();
    const grid = { stroke: color('line'), width: 1 };
    this.#plots = this.#frames.map(({ spec, place }) => {
      const axis = { stroke: color('quiet'), grid, ticks: grid, font: '11px system-ui, sans-serif' };
      return new uPlot(
        {
          width: Math.max(200, place.clientWidth),
          height: HEIGHT_PX,
          legend: { show: false },
          cursor: { show: false },
          scales: { y: { range: (_, __, max) => [0, max > 0 ? max * 1.1 : 1] } },
          axes: [
            { ...axis, space: 80, values: (_, times) => times.map((at) => time(at * 1000).slice(11)) },
            { ...axis, size: 74, values: (_, values) => values.map((value) => spec.unit(value)) },
          ],
          series: [
            {},
            ...spec.lines.map((line) => ({ stroke: color(line.color), width: 1.5, points: { show: false } })),
          ],
        },
        [[], ...spec.lines.map(() => [])],
        place,
      );
    });
    this.#draw();
  }

  #draw(): void {
    const times = this.#samples.map(({ at }) => at / 1000);
    for (const [i, plot] of this.#plots.entries()) {
      plot.setData([times, ...(PLOTS[i]?.lines ?? []).map(({ of }) => this.#samples.map(of))]);
    }
  }

  #resize(): void {
    for (const [i, plot] of this.#plots.entries()) {
      const width = this.#frames[i]?.place.clientWidth ?? 0;
      if (width > 0 && width !== plot.width) plot.setSize({ width, height: HEIGHT_PX });
    }
  }
}
