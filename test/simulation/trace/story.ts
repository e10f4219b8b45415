/**
 * Traces written by hand, for testing the checker. Each line is a moment: who, then what happens to each of them.
 *
 *     abc R4{abc}      a, b and c install the regular configuration R4 with members a, b, c
 *     ab  T5{ab}       transitional; ids are the text up to the brace, ring sequence numbers its digits
 *     a   >1a#3        a sends its message 1, agreed (u r f c a s), with sequence number 3
 *     a   >1a#3%7      it is of session 7
 *     bc  <a1          b and c deliver it; `<a1!` with another content, `<a1=b` as if from b
 *     a   >2a+x:red    it is the join of client x to red; `-x:red` a leave, `-x` a disconnect
 *     c   crash | stop | failure | gauge=50/40
 *     50ms             the time is 50 ms; every line takes 1 ms
 *     x   view red 7:1 join a+b sets=a,b own=0
 *     x   message a1 red r
 *
 * What a client asks for (`multicast`, joins and leaves) it asks for in the moment its daemon sends it.
 *
 * `a` to `h` are nodes 0 to 7; `A` to `H` their second incarnations. Clients are `x`, `y`, `z` (see `client`).
 */
import type {
  ClientEvent,
  ClientTrace,
  ConfigurationEvent,
  Disruption,
  GroupOperation,
  MulticastFact,
  ProcessTrace,
  Service,
  Trace,
} from './trace.ts';
import { messageIdOf } from './trace.ts';

const SERVICE: Readonly<Record<string, Service>> = {
  u: 'unreliable',
  r: 'reliable',
  f: 'fifo',
  c: 'causal',
  a: 'agreed',
  s: 'safe',
};

interface Sent {
  readonly service: Service;
  readonly session: number;
  readonly group: GroupOperation | null;
}

const isSecond = (name: string): boolean => name < 'a';
const nodeOf = (name: string): number => name.toLowerCase().charCodeAt(0) - 97;

export interface StoryFacts {
  readonly disruptions?: readonly Disruption[];
  readonly faultsEndedAtMs?: number;
}

export class Story {
  readonly #processes: ProcessTrace[] = [];
  readonly #byName = new Map<string, ProcessTrace>();
  readonly #sent = new Map<number, Sent>();
  readonly #clients = new Map<string, ClientTrace>();
  readonly #multicasts: MulticastFact[] = [];
  #nowMs = 0;

  /** A client connection `name`, its private name `#name#node`. */
  client(name: string, process: string, wantsViews = true): this {
    const trace: ClientTrace = {
      client: this.#clients.size,
      process: this.#process(process).process,
      session: name.charCodeAt(0),
      member: `#${name}#n${nodeOf(process)}`,
      wantsViews,
      events: [],
      disconnected: false,
    };
    this.#clients.set(name, trace);
    return this;
  }

  /** Client `by` asked for message `n` of its daemon to go to these groups. */
  multicast(by: string, n: number, groups: readonly string[], selfDiscard = false, service: Service = 'agreed'): this {
    const client = this.#clients.get(by)!;
    const multicast = messageIdOf(client.process, n);
    this.#multicasts.push({ multicast, client: client.client, groups, service, selfDiscard });
    return this;
  }

  tell(lines: string): this {
    for (const line of lines.split('\n').map((text) => text.trim()))
      if (line.length > 0) {
        const [who, ...what] = line.split(/\s+/);
        if (/^\d+ms$/.test(who!)) this.#nowMs = Number.parseInt(who!, 10);
        else if (this.#clients.has(who!)) this.#tellClient(this.#clients.get(who!)!, what);
        else for (const word of what) for (const name of who!) this.#tellProcess(this.#process(name), word);
        this.#nowMs++;
      }
    return this;
  }

  trace(facts: StoryFacts = {}): Trace {
    return {
      nodeCount: new Set(this.#processes.map((process) => process.node)).size,
      processes: this.#processes,
      clients: [...this.#clients.values()],
      multicasts: this.#multicasts,
      disruptions: facts.disruptions ?? [],
      bounds: { detectMs: 50, convergeMs: 100, drainMs: 100 },
      faultsEndedAtMs: facts.faultsEndedAtMs ?? this.#nowMs,
      workEndedAtMs: this.#nowMs,
      endedAtMs: this.#nowMs + 200,
      live: this.#processes.filter((process) => process.end === 'running').map((process) => process.process),
    };
  }

  #process(name: string): ProcessTrace {
    let process = this.#byName.get(name);
    if (process === undefined) {
      process = {
        process: this.#processes.length,
        node: nodeOf(name),
        machine: nodeOf(name),
        incarnation: isSecond(name) ? 2 : 1,
        startedAtMs: this.#nowMs,
        events: [],
        end: 'running',
        endedAtMs: 0,
        unsent: 0,
      };
      this.#processes.push(process);
      this.#byName.set(name, process);
    }
    return process;
  }

  #tellProcess(process: ProcessTrace, word: string): void {
    const atMs = this.#nowMs;
    const { events } = process;
    if (word === 'crash' || word === 'stop') {
      process.end = word === 'crash' ? 'crashed' : 'stopped';
      process.endedAtMs = atMs;
    } else if (word === 'failure') events.push({ kind: 'failure', atMs, reason: 'assertion failed' });
    else if (word.startsWith('gauge=')) {
      const [bufferedPackets, boundPackets] = word.slice(6).split('/').map(Number);
      events.push({ kind: 'gauge', atMs, bufferedPackets: bufferedPackets!, boundPackets: boundPackets! });
    } else if (word.startsWith('>')) this.#send(process, word);
    else if (word.startsWith('<')) this.#deliver(process, word);
    else events.push(this.#configuration(word));
  }

  #configuration(word: string): ConfigurationEvent {
    const [, id, names] = /^([RT]\w+)\{(\w+)\}$/.exec(word) ?? [];
    if (id === undefined || names === undefined) throw new Error(`story: cannot read ${word}`);
    return {
      kind: 'configuration',
      atMs: this.#nowMs,
      regular: id.startsWith('R'),
      id,
      ringSeq: Number.parseInt(id.slice(1), 10),
      members: [...names].map((name) => ({ node: nodeOf(name), incarnation: isSecond(name) ? 2 : 1 })),
    };
  }

  #send(process: ProcessTrace, word: string): void {
    const match = /^>(\d+)([urfcas])(?:#(\d+))?(?:%(\d+))?(?:([+-])(\w)(?::(\w+))?)?$/.exec(word);
    if (match === null) throw new Error(`story: cannot read ${word}`);
    const [, n, service, sequence, session, sign, client, group] = match;
    const message = messageIdOf(process.process, Number(n));
    const operation: GroupOperation | null =
      sign === undefined
        ? null
        : {
            operation: sign === '+' ? 'join' : group === undefined ? 'disconnect' : 'leave',
            session: client!.charCodeAt(0),
            member: this.#clients.get(client!)!.member,
            group: group ?? '',
          };
    const by = this.#asked(process, message, operation);
    this.#sent.set(message, {
      service: SERVICE[service!]!,
      session: Number(session ?? by?.session ?? 0),
      group: operation,
    });
    const regular = process.events.findLast((event) => event.kind === 'configuration' && event.regular);
    process.events.push({
      kind: 'send',
      atMs: this.#nowMs,
      message,
      service: SERVICE[service!]!,
      contentHash: message,
      configuration: regular?.kind === 'configuration' ? regular.id : '',
      sequence: Number(sequence ?? 0),
    });
  }

  /** Notes what is sent as its client's wish. @returns the client; undefined for what no client sent */
  #asked(process: ProcessTrace, message: number, operation: GroupOperation | null): ClientTrace | undefined {
    const clients = [...this.#clients.values()];
    const position = process.events.length;
    const fact = this.#multicasts.find(({ multicast }) => multicast === message);
    if (operation === null) {
      const client = clients.find(({ client }) => client === fact?.client);
      client?.events.push({ kind: 'multicast-requested', multicast: message, position });
      return client;
    }
    const client = clients.find(({ member }) => member === operation.member);
    if (operation.operation === 'disconnect') client!.disconnected = true;
    else client!.events.push({ kind: `${operation.operation}-requested`, group: operation.group, position });
    return client;
  }

  #deliver(process: ProcessTrace, word: string): void {
    const match = /^<(\w)(\d+)(!)?(?:=(\w))?$/.exec(word);
    if (match === null) throw new Error(`story: cannot read ${word}`);
    const [, from, n, altered, claimed] = match;
    const message = messageIdOf(this.#process(from!).process, Number(n));
    const sent = this.#sent.get(message);
    process.events.push({
      kind: 'deliver',
      atMs: this.#nowMs,
      message,
      service: sent?.service ?? 'agreed',
      contentHash: altered === undefined ? message : message + 1,
      origin: nodeOf(claimed ?? from!),
      session: sent?.session ?? 0,
      group: sent?.group ?? null,
    });
  }

  #tellClient(client: ClientTrace, [what, ...rest]: string[]): void {
    const position = this.#processes[client.process]!.events.length;
    const group = rest[0] ?? '';
    const id = (text: string) => {
      const [time, index] = text.split(':').map(Number);
      return { leader: 1, time: time!, index: index! };
    };
    const event = ((): ClientEvent => {
      switch (what) {
        case 'view': {
          const sets = (rest[4] ?? `sets=${rest[3]}`).slice(5).split(',');
          return {
            kind: 'view',
            group,
            id: id(rest[1]!),
            cause: rest[2] as 'join' | 'leave' | 'disconnect' | 'network',
            members: this.#members(rest[3]!),
            sets: sets.map((set) => this.#members(set)),
            ownSet: Number((rest[5] ?? 'own=0').slice(4)),
            position,
          };
        }
        case 'transition':
          return { kind: 'transition', group, id: id(rest[1]!), position };
        case 'self-leave':
          return { kind: 'self-leave', group, position };
        case 'message': {
          const [, from, n] = /^(\w)(\d+)$/.exec(group)!;
          const multicast = messageIdOf(this.#process(from!).process, Number(n));
          const service = SERVICE[rest[2] ?? 'a']!;
          return { kind: 'message', multicast, sender: '', groups: rest[1]!.split(','), service, position };
        }
        default:
          throw new Error(`story: a client cannot ${what}`);
      }
    })();
    client.events.push(event);
  }

  #members(names: string): string[] {
    return names.split('+').map((name) => this.#clients.get(name)!.member);
  }
}
