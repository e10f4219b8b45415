/** Raw requests to a daemon's HTTP server. */
import { type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';

export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface HttpWish {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export function open(url: string | URL, { method = 'GET', headers = {} }: HttpWish = {}): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request(url, { method, headers, agent: false }, resolve).once('error', reject).end();
  });
}

export async function get(url: string | URL, wish: HttpWish = {}): Promise<HttpAnswer> {
  const response = await open(url, wish);
  response.setEncoding('utf8');
  let body = '';
  for await (const chunk of response) body += chunk as string;
  return { status: response.statusCode!, headers: response.headers, body };
}

/** Sends bytes as they are. @returns all that comes until the daemon closes */
export function sendRaw(url: string, bytes: string): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname);
    let received = '';
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => {
      received += text;
    });
    socket.on('close', () => resolve(received));
    socket.on('error', (error: NodeJS.ErrnoException) =>
      error.code === 'ECONNRESET' ? resolve(received) : reject(error),
    );
    socket.write(bytes);
  });
}

/** The events of a stream as they arrive: name and data. */
export class EventReader {
  readonly events: { readonly id: string; readonly event: string; readonly data: unknown }[] = [];
  readonly #response: IncomingMessage;

  private constructor(response: IncomingMessage) {
    this.#response = response;
    let text = '';
    response.setEncoding('utf8');
    response.on('error', () => {});
    response.on('data', (chunk: string) => {
      text += chunk;
      const blocks = text.split('\n\n');
      text = blocks.pop()!;
      for (const block of blocks) this.#take(block);
    });
  }

  static async open(url: string | URL, wish: HttpWish = {}): Promise<EventReader> {
    return new EventReader(await open(url, wish));
  }

  get status(): number {
    return this.#response.statusCode!;
  }

  ofKind(event: string): readonly unknown[] {
    return this.events.filter((one) => one.event === event).map(({ data }) => data);
  }

  close(): void {
    this.#response.destroy();
  }

  #take(block: string): void {
    const field = (name: string): string => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1] ?? '';
    if (field('event') !== '')
      this.events.push({ id: field('id'), event: field('event'), data: JSON.parse(field('data')) });
  }
}
