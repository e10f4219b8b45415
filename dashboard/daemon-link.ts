/** The connection to the daemon: its stream of events and its status. The token goes in a header, which EventSource cannot send. */
import type { Hello, LoggedEvent, Status, Tick } from '../daemon/http/status-types.ts';

const RETRY_MS = 2000;
/** The daemon says something every second; without a word for so long the connection is given up. */
const SILENCE_MS = 8000;
const TOKEN_KEY = 'skein-token';

export interface LinkEvents {
  hello(hello: Hello): void;
  tick(tick: Tick): void;
  logged(event: LoggedEvent): void;
  /** The daemon cannot be reached. */
  lost(): void;
  tokenNeeded(): void;
}

export class DaemonLink {
  readonly #events: LinkEvents;
  #waiting: (() => void) | null = null;

  constructor(events: LinkEvents) {
    this.#events = events;
  }

  /** Follows the daemon as long as the page is there. */
  async run(): Promise<never> {
    for (;;) {
      const outcome = await this.#follow().catch(() => 'lost' as const);
      if (outcome === 'token') {
        this.#events.tokenNeeded();
        await new Promise<void>((resolve) => {
          this.#waiting = resolve;
        });
      } else {
        this.#events.lost();
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  }

  useToken(token: string): void {
    sessionStorage.setItem(TOKEN_KEY, token);
    this.#waiting?.();
    this.#waiting = null;
  }

  /** Null: the daemon cannot be reached. */
  async status(): Promise<Status | null> {
    try {
      const response = await fetch('/status.json', { headers: headers(), signal: AbortSignal.timeout(SILENCE_MS) });
      return response.ok ? ((await response.json()) as Status) : null;
    } catch {
      return null;
    }
  }

  async #follow(): Promise<'lost' | 'token'> {
    const abort = new AbortController();
    let timer = setTimeout(() => abort.abort(), SILENCE_MS);
    try {
      const response = await fetch('/events?samples=1', { headers: headers(), signal: abort.signal });
      if (response.status === 401) return 'token';
      if (!response.ok || response.body === null) return 'lost';
      const reader = response.body.getReader();
      const decoder = new TextDecoder();
      let text = '';
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return 'lost';
        clearTimeout(timer);
        timer = setTimeout(() => abort.abort(), SILENCE_MS);
        text += decoder.decode(value, { stream: true });
        const blocks = text.split('\n\n');
        text = blocks.pop() ?? '';
        for (const block of blocks) this.#take(block);
      }
    } finally {
      clearTimeout(timer);
    }
  }

  #take(block: string): void {
    const field = (name: string): string | undefined => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1];
    const kind = field('event');
    const data = field('data');
    if (kind === undefined || data === undefined) return;
    if (kind === 'hello') this.#events.hello(JSON.parse(data) as Hello);
    else if (kind === 'tick') this.#events.tick(JSON.parse(data) as Tick);
    else this.#events.logged(JSON.parse(data) as LoggedEvent);
  }
}

function headers(): Record<string, string> {
  const token = sessionStorage.getItem(TOKEN_KEY);
  return token === null ? {} : { Authorization: `Bearer ${token}` };
}
