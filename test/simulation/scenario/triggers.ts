/** The faults of a schedule that wait for a packet or a state, each until it was struck. */
import { matchesType, packetType } from '../network/wire-view.ts';
import type { StateName } from '../node/daemon-process.ts';
import type { Fault, Trigger } from './scenario.ts';

type PacketTrigger = { fault: Fault; trigger: Extract<Trigger, { kind: 'packet' }>; left: number };
type StateTrigger = { fault: Fault; trigger: Extract<Trigger, { kind: 'state' }>; left: number };

export class Triggers {
  #onPacket: PacketTrigger[] = [];
  readonly #onState: StateTrigger[] = [];

  add(fault: Fault): void {
    const { trigger } = fault;
    if (trigger.kind === 'packet') this.#onPacket.push({ fault, trigger, left: trigger.occurrence });
    else if (trigger.kind === 'state') this.#onState.push({ fault, trigger, left: trigger.occurrence });
  }

  /** The fault that this packet sets off. */
  hitByPacket(nowMs: number, node: number, bytes: Uint8Array): Omit<PacketTrigger, 'left'> | null {
    if (this.#onPacket.length === 0) return null;
    const type = packetType(bytes);
    for (const entry of this.#onPacket) {
      const { trigger } = entry;
      if (nowMs < trigger.notBeforeMs || !matchesType(trigger.type, type)) continue;
      if ((trigger.from !== null && trigger.from !== node) || --entry.left > 0) continue;
      this.#onPacket = this.#onPacket.filter((other) => other !== entry);
      return entry;
    }
    return null;
  }

  /** The faults that this state sets off. */
  hitByState(nowMs: number, node: number, state: StateName): readonly Omit<StateTrigger, 'left'>[] {
    return this.#onState.filter((entry) => {
      const { trigger } = entry;
      if (nowMs < trigger.notBeforeMs || trigger.state !== state) return false;
      return (trigger.node === null || trigger.node === node) && --entry.left === 0;
    });
  }
}
