/** The figures of the last second. */
import type { Sample } from '../daemon/http/status-types.ts';
import { element } from './dom.ts';
import { bytes, count, duration } from './format.ts';

const FIGURES: readonly (readonly [string, (sample: Sample) => string])[] = [
  ['clients', ({ sessions }) => count(sessions)],
  ['groups', ({ groups }) => count(groups)],
  ['ordered /s', ({ messagesOrdered }) => count(messagesOrdered)],
  ['delivered /s', ({ messagesOut }) => count(messagesOut)],
  ['bytes out /s', ({ bytesOut }) => bytes(bytesOut)],
  ['sent again /s', ({ retransmissions }) => count(retransmissions)],
  ['rotation', ({ rotationMs, members }) => (members < 2 ? '–' : duration(rotationMs))],
  ['waiting', ({ queuedBytes }) => bytes(queuedBytes)],
];

export class Figures {
  readonly #values: readonly HTMLElement[];

  constructor(place: HTMLElement) {
    this.#values = FIGURES.map(([title]) => {
      const value = element('dd', '', '–');
      place.append(element('div', '', element('dt', '', title), value));
      return value;
    });
  }

  show(sample: Sample): void {
    for (const [i, [, text]] of FIGURES.entries()) {
      const value = this.#values[i];
      if (value !== undefined) value.textContent = text(sample);
    }
  }
}
