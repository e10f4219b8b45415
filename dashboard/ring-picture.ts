/** The ring: its daemons around a circle, and the token on its way. */
import type { RingStatus, Sample } from '../daemon/http/status-types.ts';
import { plural } from '../engine/plural.ts';
import { element, svg } from './dom.ts';
import { count, duration } from './format.ts';

/** Wider than high: names stand beside the daemons. */
const WIDTH = 440;
const HEIGHT = 310;
const CENTER_X = WIDTH / 2;
const CENTER_Y = HEIGHT / 2;
const RADIUS = 112;
/** From more daemons on, names are in the list below only. */
const MAX_NAMES = 20;
const LONGEST_NAME_CHARS = 14;
/** The picture's token takes between these for one turn; the real one is too fast to be seen. */
const FASTEST_TURN_MS = 1500;
const SLOWEST_TURN_MS = 8000;
const TOKEN_RADIUS = 7;

export class RingPicture {
  readonly #place: HTMLElement;
  readonly #list: HTMLElement;
  readonly #token = svg('circle', { class: 'token', r: TOKEN_RADIUS });
  readonly #isStill = matchMedia('(prefers-reduced-motion: reduce)');
  #drawn = '';
  /** Angles of the members of the ring, in the order of the token. */
  #angles: readonly number[] = [];
  #leaderAngle = 0;
  #roundsPerSecond = 0;
  #turn = 0;
  #lastMs = 0;
  readonly #state = svg('text', { class: 'ring-text', x: CENTER_X, y: CENTER_Y - 14 });
  readonly #rotation = svg('text', { class: 'ring-quiet', x: CENTER_X, y: CENTER_Y + 6 });
  readonly #rounds = svg('text', { class: 'ring-quiet', x: CENTER_X, y: CENTER_Y + 23 });

  constructor(place: HTMLElement, list: HTMLElement) {
    this.#place = place;
    this.#list = list;
    requestAnimationFrame((nowMs) => this.#animate(nowMs));
  }

  show(ring: RingStatus, sample: Sample | null): void {
    const shape = JSON.stringify(ring.members);
    if (shape !== this.#drawn) this.#draw(ring);
    this.#drawn = shape;
    const present = ring.members.filter(({ isPresent }) => isPresent).length;
    this.#state.textContent = `${present} of ${ring.members.length}`;
    this.#roundsPerSecond = present > 1 ? (sample?.tokenRounds ?? 0) : 0;
    const rotation = sample === null || present < 2 ? '' : `rotation ${duration(sample.rotationMs)}`;
    this.#rotation.textContent = ring.state === 'operational' ? rotation : ring.state;
    this.#rounds.textContent =
      present < 2
        ? 'a daemon alone'
        : this.#isIdle
          ? 'idle: the leader holds the token'
          : `${count(this.#roundsPerSecond)} turns a second`;
  }

  get #isIdle(): boolean {
    return this.#roundsPerSecond < 1;
  }

  #draw({ members }: RingStatus): void {
    const angleOf = (i: number): number => (2 * Math.PI * i) / members.length - Math.PI / 2;
    const hasNames = members.length <= MAX_NAMES;
    const radius = Math.max(4, Math.min(15, 170 / members.length));
    const nodes = members.flatMap(({ name, isPresent, isSelf, isDraining }, i) => {
      const [x, y] = pointAt(angleOf(i), RADIUS);
      const [labelX, labelY] = pointAt(angleOf(i), RADIUS + radius + 12);
      const side = labelX > CENTER_X + RADIUS / 4 ? 'start' : labelX < CENTER_X - RADIUS / 4 ? 'end' : 'middle';
      const state = `${isSelf ? ' self' : ''}${isPresent ? '' : ' absent'}${isDraining ? ' draining' : ''}`;
      const circle = svg('circle', { class: `node${state}`, cx: x, cy: y, r: radius }, svg('title', {}, name));
      if (!hasNames) return [circle];
      const label = svg(
        'text',
        { class: `node-name${state}`, x: labelX, y: labelY + 4, 'text-anchor': side },
        shortened(name),
      );
      return [circle, label];
    });
    const absent = members.filter(({ isPresent }) => !isPresent).map(({ name }) => name);
    const present = members.length - absent.length;
    const draining = members.filter(({ isDraining }) => isDraining).map(({ name }) => name);
    const label = [
      `A ring of ${present} ${plural(present, 'daemon')}`,
      ...(absent.length === 0 ? [] : [`absent: ${absent.join(', ')}`]),
      ...(draining.length === 0 ? [] : [`draining: ${draining.join(', ')}`]),
    ].join('; ');
    const picture = svg(
      'svg',
      { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: 'img', 'aria-label': label },
      svg('circle', { class: 'track', cx: CENTER_X, cy: CENTER_Y, r: RADIUS }),
      ...nodes,
      this.#state,
      this.#rotation,
      this.#rounds,
      this.#token,
    );
    this.#place.replaceChildren(picture);
    this.#angles = members.flatMap(({ isPresent }, i) => (isPresent ? [angleOf(i)] : []));
    this.#leaderAngle = angleOf(
      Math.max(
        0,
        members.findIndex(({ isLeader }) => isLeader),
      ),
    );
    this.#list.replaceChildren(
      ...members.map(({ name, address, isPresent, isSelf, isLeader, isDraining }) => {
        const words = [
          isDraining ? 'draining' : isPresent ? 'present' : 'absent',
          ...(isLeader ? ['leader'] : []),
          ...(isSelf ? ['this daemon'] : []),
        ];
        const look = isDraining ? 'draining' : isPresent ? 'quiet' : 'absent';
        const state = element('span', look, words.join(', '));
        const item = element('li', '', element('span', '', name), state);
        item.title = address;
        item.dataset['member'] = name;
        item.dataset['state'] = words[0]!;
        return item;
      }),
    );
  }

  /** The token goes from member to member; on an idle ring it rests at the leader. */
  #animate(nowMs: number): void {
    const elapsedMs = Math.min(100, nowMs - this.#lastMs);
    this.#lastMs = nowMs;
    const isMoving = !this.#isIdle && this.#angles.length > 1 && !this.#isStill.matches;
    if (isMoving) this.#turn = (this.#turn + elapsedMs / turnMs(this.#roundsPerSecond)) % 1;
    const angle = isMoving ? this.#angleAt(this.#turn) : this.#leaderAngle;
    const [x, y] = pointAt(angle, RADIUS);
    this.#token.setAttribute('cx', x.toFixed(1));
    this.#token.setAttribute('cy', y.toFixed(1));
    this.#token.setAttribute('visibility', this.#angles.length > 1 ? 'visible' : 'hidden');
    requestAnimationFrame((later) => this.#animate(later));
  }

  #angleAt(turn: number): number {
    const hops = turn * this.#angles.length;
    const from = this.#angles[Math.floor(hops)] ?? 0;
    const next = this.#angles[(Math.floor(hops) + 1) % this.#angles.length] ?? 0;
    const way = next > from ? next - from : next - from + 2 * Math.PI;
    return from + way * (hops % 1);
  }
}

const pointAt = (angle: number, radius: number): readonly [number, number] => [
  CENTER_X + radius * Math.cos(angle),
  CENTER_Y + radius * Math.sin(angle),
];

const shortened = (name: string): string =>
  name.length <= LONGEST_NAME_CHARS ? name : `${name.slice(0, LONGEST_NAME_CHARS - 1)}…`;

/** A faster ring turns faster, within what an eye can follow. */
const turnMs = (roundsPerSecond: number): number =>
  Math.max(FASTEST_TURN_MS, SLOWEST_TURN_MS / (1 + Math.log10(1 + roundsPerSecond)));
