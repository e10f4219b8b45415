/** The dashboard of a daemon: what it streams, and every two seconds its status, put on the page. */
import type {
  DaemonInfo,
  HealthStatus,
  RingStatus,
  Sample,
  SessionStatus,
  Status,
} from '../daemon/http/status-types.ts';
import { DaemonLink } from './daemon-link.ts';
import { byId, element } from './dom.ts';
import { Figures } from './figures.ts';
import { bytes, duration } from './format.ts';
import { Plots } from './plots.ts';
import { RingPicture } from './ring-picture.ts';
import { SortableTable } from './sortable-table.ts';
import './styles.css';
import { ENDED, GROUPS, SESSIONS } from './tables.ts';
import { Timeline } from './timeline.ts';

const STATUS_MS = 2000;
/** Slow clients that are named above the page. */
const MAX_NAMED = 5;

const ring = new RingPicture(byId('ring'), byId('members'));
const figures = new Figures(byId('figures'));
const plots = new Plots(byId('plots'));
const sessions = new SortableTable(byId('sessions'), SESSIONS);
const groups = new SortableTable(byId('groups'), GROUPS);
const ended = new SortableTable(byId('ended'), ENDED);
const timeline = new Timeline(byId('events'));
const alerts = byId('alerts');
const state = byId('state');
const tokenForm = byId<HTMLFormElement>('token-form');

let slow: readonly SessionStatus[] = [];
let isLost = false;
let lastRing: RingStatus | null = null;

const link = new DaemonLink({
  hello({ daemon, ring: now, health, samples }) {
    isLost = false;
    tokenForm.hidden = true;
    timeline.clear();
    showDaemon(daemon);
    plots.show(samples);
    const last = samples.at(-1) ?? null;
    if (last !== null) figures.show(last);
    showRing(now, last);
    showHealth(health);
    void refresh();
  },
  tick({ sample, ring: now, health }) {
    plots.add(sample);
    figures.show(sample);
    showRing(now, sample);
    showHealth(health);
  },
  logged: (event) => timeline.add(event),
  lost() {
    isLost = true;
    setState('not reachable', 'bad');
    showAlerts();
  },
  tokenNeeded() {
    setState('token needed', '');
    tokenForm.hidden = false;
    byId<HTMLInputElement>('token').focus();
  },
});

tokenForm.addEventListener('submit', (event) => {
  event.preventDefault();
  const input = byId<HTMLInputElement>('token');
  link.useToken(input.value.trim());
  input.value = '';
});

function showDaemon({ name, release, node, threadingMode, startedAt }: DaemonInfo): void {
  byId('name').textContent = name;
  document.title = `${name} – skein`;
  const up = duration(Date.now() - startedAt);
  byId('about').textContent = `skein ${release}, Node ${node}, mode ${threadingMode}, up ${up}`;
}

function showRing(now: RingStatus, sample: Sample | null): void {
  lastRing = now;
  ring.show(now, sample);
  showAlerts();
}

function showHealth({ alive, ready, reason }: HealthStatus): void {
  setState(ready ? 'ready' : (reason ?? 'not ready'), ready ? 'good' : alive ? '' : 'bad');
}

function setState(text: string, tone: 'good' | 'bad' | ''): void {
  if (state.textContent !== text) state.textContent = text;
  state.className = `pill ${tone}`;
}

function showAlerts(): void {
  const found: HTMLElement[] = [];
  if (isLost)
    found.push(element('div', 'alert bad', 'The daemon does not answer. What is below may be outdated; trying again.'));
  const absent = (lastRing?.members ?? []).filter(({ isPresent }) => !isPresent).map(({ name }) => name);
  const draining = (lastRing?.members ?? []).filter(({ isDraining }) => isDraining).map(({ name }) => name);
  if (draining.length > 0) found.push(element('div', 'alert', `Draining, will end: ${draining.join(', ')}`));
  if (absent.length > 0) found.push(element('div', 'alert bad', `Not in the ring: ${absent.join(', ')}`));
  if (slow.length > 0) {
    const named = slow.slice(0, MAX_NAMED).map(({ name, waitingBytes, behindMs }) => {
      return `${name} (${bytes(waitingBytes)}, ${duration(behindMs)} behind)`;
    });
    const more = slow.length > MAX_NAMED ? ` and ${slow.length - MAX_NAMED} more` : '';
    found.push(element('div', 'alert', `Slow clients: ${named.join(', ')}${more}`));
  }
  // Screen readers are told of what is new only.
  if (alerts.textContent !== found.map(({ textContent }) => textContent).join('')) alerts.replaceChildren(...found);
}

function show(status: Status): void {
  sessions.show(status.sessions.list, status.sessions.count);
  groups.show(status.groups.list, status.groups.count);
  ended.show(status.ended, status.ended.length);
  slow = status.sessions.list.filter(({ isSlow }) => isSlow).sort((a, b) => b.waitingBytes - a.waitingBytes);
  showDaemon(status.daemon);
  showAlerts();
}

async function refresh(): Promise<void> {
  if (document.hidden || isLost) return;
  const status = await link.status();
  if (status !== null) show(status);
}

setInterval(() => void refresh(), STATUS_MS);
void link.run();
