/**
 * A daemon stops in order, step by step, as its supervisor has it done (workers/supervisor.ts): what clients have sent is ordered, others
 * that stop are met, clients are let go behind their last delivery, others are met again. Then it may leave. What takes too long is left out.
 */
import { DrainStage } from '../../../engine/wire/record.ts';
import type { GroupService } from './group-service.ts';

type Step = 'taking' | 'meeting' | 'delivering' | 'emptying' | 'parting' | 'done';

/** Part of the time that is kept for clients to hang up. */
const GOODBYE_PART = 1 / 4;

export class OrderlyStop {
  readonly #groups: GroupService;
  readonly #takenByMs: number;
  readonly #endMs: number;
  readonly #clientsGoOn: boolean;
  #step: Step = 'taking';
  #logEnd = 0;

  /** @param clientsGoOn they send until they are told of the end; else they stop at once */
  constructor(groups: GroupService, nowMs: number, drainMs: number, clientsGoOn: boolean) {
    this.#clientsGoOn = clientsGoOn;
    this.#groups = groups;
    this.#takenByMs = nowMs + drainMs * (1 - GOODBYE_PART);
    this.#endMs = nowMs + drainMs;
    groups.reach(DrainStage.Draining);
  }

  /** Clients send nothing any more. */
  get endsClients(): boolean {
    return !this.#clientsGoOn || (this.#step !== 'taking' && this.#step !== 'meeting');
  }

  /** Advances as far as possible. @returns whether the daemon leaves now */
  poll(nowMs: number): boolean {
    while (this.#next(nowMs));
    return this.#step === 'done';
  }

  /** @returns whether the step is over */
  #next(nowMs: number): boolean {
    const groups = this.#groups;
    if (this.#step === 'done') return false;
    if (nowMs >= this.#endMs) {
      this.#step = 'done';
      return true;
    }
    switch (this.#step) {
      case 'taking':
      case 'meeting':
        if (nowMs < this.#takenByMs && !(this.#step === 'taking' ? groups.isSettled : groups.isMet)) return false;
        if (this.#step === 'taking' && nowMs < this.#takenByMs) {
          this.#step = 'meeting';
          groups.reach(DrainStage.Taken);
          return true;
        }
        this.#logEnd = groups.logEnd;
        this.#step = 'delivering';
        return true;
      case 'delivering':
        if (!groups.hasDelivered(this.#logEnd)) return false;
        groups.hangUp();
        this.#step = 'emptying';
        return true;
      case 'emptying':
        if (!groups.isSettled) return false;
        groups.reach(DrainStage.Empty);
        this.#step = 'parting';
        return true;
      case 'parting':
        if (!groups.isMet) return false;
        this.#step = 'done';
        return true;
    }
  }
}
