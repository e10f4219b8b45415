/**
 * The group table as it has to be at every place of a process's trace, by replaying joins, leaves and disconnects in ring
 * order (GRP-2). At a regular configuration each daemon brings its own clients: what its own operations made of them up to
 * the moment it installed that configuration itself.
 */
import type { ClientEvent, ClientTrace, ConfigurationEvent, GroupOperation, ProcessTrace } from '../trace/trace.ts';
import { type Model, memberKey } from './model.ts';

/** Group name -> session -> private name: the members that one daemon contributes. */
type Rows = ReadonlyMap<string, ReadonlyMap<number, string>>;

const NO_ROWS: Rows = new Map();

/** Members of all groups by daemon process. */
class TableState {
  /** Process -> group -> session -> name. */
  readonly #byProcess = new Map<number, Map<string, Map<number, string>>>();
  /** Daemons whose clients cannot be known from the traces: they never got to install the configuration. */
  readonly unknown = new Set<number>();

  setRows(process: number, rows: Rows): void {
    const copy = new Map<string, Map<number, string>>();
    for (const [group, members] of rows) copy.set(group, new Map(members));
    this.#byProcess.set(process, copy);
  }

  clear(): void {
    this.#byProcess.clear();
    this.unknown.clear();
  }

  /** @returns the groups that lost a member by it */
  apply(process: number, operation: GroupOperation): string[] {
    let rows = this.#byProcess.get(process);
    if (rows === undefined) {
      rows = new Map();
      this.#byProcess.set(process, rows);
    }
    const { session, member, group } = operation;
    const lost: string[] = [];
    if (operation.operation === 'join') {
      const members = rows.get(group);
      if (members === undefined) rows.set(group, new Map([[session, member]]));
      else members.set(session, member);
    } else if (operation.operation === 'leave') {
      if (rows.get(group)?.delete(session) === true) lost.push(group);
    } else for (const [name, members] of rows) if (members.delete(session)) lost.push(name);
    return lost;
  }

  rowsOf(process: number): Rows {
    return this.#byProcess.get(process) ?? new Map();
  }

  isMember(process: number, session: number, group: string): boolean {
    return this.#byProcess.get(process)?.get(group)?.has(session) ?? false;
  }

  isEmpty(group: string): boolean {
    for (const rows of this.#byProcess.values()) if ((rows.get(group)?.size ?? 0) > 0) return false;
    return true;
  }

  /** Processes with a member in `group`. */
  holders(group: string): number[] {
    return [...this.#byProcess].filter(([, rows]) => (rows.get(group)?.size ?? 0) > 0).map(([process]) => process);
  }

  groups(): Set<string> {
    const names = new Set<string>();
    for (const rows of this.#byProcess.values())
      for (const [group, members] of rows) if (members.size > 0) names.add(group);
    return names;
  }

  /** Names of the members of `group` in the order of views: by daemon, then by name. */
  members(group: string, model: Model): string[] {
    const names: string[] = [];
    const processes = [...this.#byProcess.keys()].sort((a, b) => nodeOf(model, a) - nodeOf(model, b));
    for (const process of processes)
      names.push(...[...(this.#byProcess.get(process)!.get(group)?.values() ?? [])].sort());
    return names;
  }
}

const nodeOf = (model: Model, process: number): number => model.trace.processes[process]!.node;

/** Per process and regular configuration it installed: its own clients' memberships at that moment. */
export type OwnRows = ReadonlyMap<number, ReadonlyMap<string, Rows>>;

const knownRows = new WeakMap<Model, OwnRows>();

export function replayOwnRows(model: Model): OwnRows {
  let rows = knownRows.get(model);
  if (rows === undefined) {
    rows = ownRows(model);
    knownRows.set(model, rows);
  }
  return rows;
}

function ownRows(model: Model): OwnRows {
  const all = new Map<number, Map<string, Rows>>();
  for (const process of model.trace.processes) {
    const state = new TableState();
    const atInstall = new Map<string, Rows>();
    for (const event of process.events) {
      if (event.kind === 'deliver' && event.group !== null && event.origin === process.node)
        state.apply(process.process, event.group);
      if (event.kind === 'left-out' && event.node === process.node) state.setRows(process.process, NO_ROWS);
      if (event.kind !== 'configuration' || !event.regular) continue;
      const copy = new TableState();
      copy.setRows(process.process, state.rowsOf(process.process));
      atInstall.set(event.id, copy.rowsOf(process.process));
    }
    all.set(process.process, atInstall);
  }
  return all;
}

/** Walks one process's trace with the table kept up to date. */
export class TableWalk {
  readonly state = new TableState();
  regular: ConfigurationEvent | null = null;
  transitional: ConfigurationEvent | null = null;
  /** Per group, how often it emptied in the present configuration: a group made anew starts its ids again. */
  readonly lives = new Map<string, number>();
  readonly #model: Model;
  readonly #process: ProcessTrace;
  readonly #own: OwnRows;
  #at = 0;

  constructor(model: Model, process: ProcessTrace, own: OwnRows) {
    this.#model = model;
    this.#process = process;
    this.#own = own;
  }

  get position(): number {
    return this.#at;
  }

  /** Applies all events before `position`. */
  advanceTo(position: number): void {
    while (this.#at < position && this.#at < this.#process.events.length) this.#step();
  }

  #step(): void {
    const event = this.#process.events[this.#at++]!;
    if (event.kind === 'left-out') {
      const process = this.#processAt(event.node);
      if (process === undefined) return;
      this.state.setRows(process, NO_ROWS);
      this.state.unknown.delete(process);
    } else if (event.kind === 'configuration') {
      if (!event.regular) this.transitional = event;
      else this.#install(event);
    } else if (event.kind === 'deliver' && event.group !== null) {
      const process = this.#processAt(event.origin);
      if (process === undefined) return;
      for (const group of this.state.apply(process, event.group))
        if (this.state.isEmpty(group)) this.lives.set(group, (this.lives.get(group) ?? 0) + 1);
    }
  }

  #processAt(node: number): number | undefined {
    const member = this.regular?.members.find((m) => m.node === node);
    return member && this.#model.processOf.get(memberKey(member.node, member.incarnation))?.process;
  }

  #install(event: ConfigurationEvent): void {
    this.regular = event;
    this.transitional = null;
    this.lives.clear();
    this.state.clear();
    for (const m of event.members) {
      const process = this.#model.processOf.get(memberKey(m.node, m.incarnation));
      if (process === undefined) continue;
      const rows = this.#own.get(process.process)?.get(event.id);
      if (rows === undefined) this.state.unknown.add(process.process);
      else this.state.setRows(process.process, rows);
    }
  }
}

export const clientsOf = (model: Model, process: number): ClientTrace[] =>
  model.trace.clients.filter((client) => client.process === process);

/** Calls `visit` for every event of clients, for each process in order of position, with the table as it is there. */
export function forEachClientEvent(
  model: Model,
  visit: (walk: TableWalk, client: ClientTrace, event: ClientEvent) => void,
): void {
  const own = replayOwnRows(model);
  for (const process of model.trace.processes) {
    const entries = clientsOf(model, process.process).flatMap((client) =>
      client.events.map((event) => ({ client, event })),
    );
    entries.sort((a, b) => a.event.position - b.event.position);
    const walk = new TableWalk(model, process, own);
    for (const { client, event } of entries) {
      walk.advanceTo(event.position);
      visit(walk, client, event);
    }
  }
}

export type ViewEvent = Extract<ClientEvent, { kind: 'view' }>;
export const idText = ({ id }: ViewEvent): string => `${id.leader}:${id.time}:${id.index}`;

const knownKeys = new WeakMap<Model, ReadonlyMap<ClientEvent, string>>();

/** What makes a view unique: its id, and which life of the group in which configuration it belongs to. */
export function viewKeys(model: Model): ReadonlyMap<ClientEvent, string> {
  const known = knownKeys.get(model);
  if (known !== undefined) return known;
  const keys = new Map<ClientEvent, string>();
  forEachClientEvent(model, (walk, _, event) => {
    if (event.kind === 'view')
      keys.set(event, `${event.group} ${idText(event)} ${walk.regular?.id}/${walk.lives.get(event.group) ?? 0}`);
  });
  knownKeys.set(model, keys);
  return keys;
}
