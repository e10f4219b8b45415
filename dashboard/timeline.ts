/** The last hundred events, newest first. */
import type { LoggedEvent } from '../daemon/http/status-types.ts';
import { plural } from '../engine/plural.ts';
import { element } from './dom.ts';
import { bytes, time } from './format.ts';

const MAX_EVENTS = 100;

const movedText = (clients: number): string => `${clients} ${plural(clients, 'client')} had moved`;

export class Timeline {
  readonly #place: HTMLElement;
  #lastId = 0;

  constructor(place: HTMLElement) {
    this.#place = place;
    // It scrolls, also by the keyboard.
    place.tabIndex = 0;
  }

  /** Another connection begins with all events again. */
  clear(): void {
    this.#lastId = 0;
    this.#place.replaceChildren();
  }

  add(event: LoggedEvent): void {
    if (event.id <= this.#lastId) return;
    this.#lastId = event.id;
    const { tone, text } = describe(event);
    const item = element('li', tone, element('time', '', time(event.at)), element('span', '', text));
    item.dataset['kind'] = event.kind;
    this.#place.prepend(item);
    while (this.#place.children.length > MAX_EVENTS) this.#place.lastElementChild?.remove();
  }
}

interface Description {
  readonly tone: 'good' | 'warn' | 'bad' | '';
  readonly text: string;
}

function describe(event: LoggedEvent): Description {
  switch (event.kind) {
    case 'membership': {
      const { members, joined, left, ringSeq } = event;
      const changes = [
        ...(joined.length === 0 ? [] : [`joined: ${joined.join(', ')}`]),
        ...(left.length === 0 ? [] : [`left: ${left.join(', ')}`]),
      ];
      const text = `ring ${ringSeq} of ${members.length}: ${members.join(', ')}${changes.length === 0 ? '' : ` (${changes.join('; ')})`}`;
      return { tone: left.length > 0 ? 'bad' : 'good', text };
    }
    case 'slow':
      return { tone: 'warn', text: `${event.session} reads too slowly: ${bytes(event.waitingBytes)} wait for it` };
    case 'recovered':
      return { tone: 'good', text: `${event.session} has caught up` };
    case 'session-ended':
      return {
        tone: 'bad',
        text: `${event.session} was ended: ${event.reason}; ${bytes(event.waitingBytes)} waited for it`,
      };
    case 'daemon':
      if (event.what === 'started') return { tone: '', text: 'the daemon started' };
      return event.what === 'stopped'
        ? { tone: 'warn', text: `the daemon stopped; ${movedText(event.report.sessionsMoved)}` }
        : { tone: 'warn', text: 'the daemon drains: it takes no new clients, and will end' };
  }
}
