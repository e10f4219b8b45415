/** What the programs of the feed share: groups, message types, and the groups of an event. */

/** One line of the access log; see `log_format` in nginx.ts. */
export interface WebEvent {
  /** Unique. */
  readonly id: string;
  readonly path: string;
  readonly status: number;
}

/** Every event goes to this group. */
export const ALL = 'web';

/** The groups of events of one kind. */
export const KINDS = ['web.2xx', 'web.3xx', 'web.4xx', 'web.5xx', 'web.api', 'web.static', 'web.page'] as const;

/** The groups of the live counter: errors, and everything about the API. */
export const COUNTED = ['web.4xx', 'web.5xx', 'web.api'] as const;

export const MessageType = {
  Event: 1,
  /** The last message. */
  End: 2,
  /** To the archive: how many events came before this view? */
  HistoryRequest: 3,
  HistoryAnswer: 4,
} as const;

/** The archive's answer: what a member that joined with view `viewId` has missed. */
export interface History {
  readonly viewId: string;
  readonly missed: number;
  /** The missed events are the first lines of this file. */
  readonly file: string;
}

/** All groups of an event. One send reaches them all, and a program in several of them gets one copy. */
export function groupsOf({ path, status }: WebEvent): readonly string[] {
  const kind = path.startsWith('/api/') ? 'api' : path.startsWith('/static/') ? 'static' : 'page';
  return [ALL, `web.${Math.floor(status / 100)}xx`, `web.${kind}`];
}

/** Sends a line of JSON on standard output to the program that started this one. */
export const tell = (message: { readonly tells: string; readonly [key: string]: unknown }): void => {
  process.stdout.write(`${JSON.stringify(message)}\n`);
};
