/** Carries out one fault on a running simulation. */
import type { EventQueue } from '../core/event-queue.ts';
import type { VirtualNetwork } from '../network/virtual-network.ts';
import type { Fault, GarbageMode, ReplayMode } from './scenario.ts';

/** What faults need of the run. Every effect must be undone by `undo`s, which run at the latest when faults end. */
export interface FaultTarget {
  readonly events: EventQueue;
  readonly network: VirtualNetwork;
  readonly nodeCount: number;
  crash(node: number, restartAfterMs: number | null, wallStepSeconds: number, isSetBack?: boolean): void;
  leave(node: number, restartAfterMs: number | null, isSetBack?: boolean): void;
  stop(node: number, fault: Extract<Fault, { kind: 'stop' }>): void;
  setPaused(node: number, paused: boolean): void;
  setSlow(node: number, perPacketMs: number): void;
  setLogFull(node: number, full: boolean): void;
  stepWallClock(node: number, seconds: number): void;
  forge(node: number): void;
  /** From now on the node's tables in state exchanges are not what its daemon made. @returns what ends it */
  forgeTables(node: number): () => void;
  garbage(mode: GarbageMode): void;
  replay(modes: readonly ReplayMode[]): void;
  rotate(stepMs: number): void;
  reconfigure(fault: Extract<Fault, { kind: 'reconfigure' }>): void;
  /** @returns what ends it */
  duplicate(fault: Extract<Fault, { kind: 'duplicate' }>): () => void;
  /** Notes that the system is disturbed from now for `forMs`, and calls `undo` then or when faults end. */
  during(forMs: number, component: readonly number[] | null, undo: () => void): void;
  /** Faults may still be started. */
  readonly faultsOpen: boolean;
}

/** `node` is the one that set the trigger off, if any. */
export function strike(target: FaultTarget, fault: Fault, node: number): void {
  if (!target.faultsOpen) return;
  const chosen = 'node' in fault ? (fault.node === 'trigger' ? node : fault.node) : node;
  switch (fault.kind) {
    case 'crash':
      target.crash(chosen, fault.restartAfterMs, fault.wallStepSeconds, fault.isSetBack);
      return;
    case 'leave':
      target.leave(chosen, fault.restartAfterMs, fault.isSetBack);
      return;
    case 'stop':
      target.stop(chosen, fault);
      return;
    case 'pause':
      target.setPaused(chosen, true);
      target.during(fault.forMs, null, () => target.setPaused(chosen, false));
      return;
    case 'slow':
      target.setSlow(chosen, fault.perPacketMs);
      target.during(fault.forMs, null, () => target.setSlow(chosen, 0));
      return;
    case 'full-log':
      target.setLogFull(chosen, true);
      target.during(fault.forMs, null, () => target.setLogFull(chosen, false));
      return;
    case 'clock':
      target.stepWallClock(chosen, fault.wallStepSeconds);
      return;
    case 'partition':
      partition(target, fault.component, fault.forMs);
      return;
    case 'cut':
      cut(target, fault);
      return;
    case 'drop':
      target.network.drop({ only: fault.only, from: fault.from, left: fault.count });
      target.during(0, null, () => {});
      return;
    case 'impair':
      target.network.impair(fault);
      target.during(fault.forMs, null, () => target.network.repair(fault));
      return;
    case 'reconfigure':
      target.reconfigure(fault);
      return;
    case 'duplicate':
      target.during(fault.forMs, null, target.duplicate(fault));
      return;
    case 'forge':
      again(target, fault.forMs, fault.everyMs, () => target.forge(chosen));
      target.during(fault.forMs, null, target.forgeTables(chosen));
      return;
    case 'garbage':
      again(target, fault.forMs, fault.everyMs, () => target.garbage(fault.mode));
      return;
    case 'replay':
      again(target, fault.forMs, fault.everyMs, () => target.replay(fault.modes));
      return;
    case 'rotate':
      target.rotate(fault.stepMs);
      return;
  }
}

function partition(target: FaultTarget, component: readonly number[], forMs: number): void {
  const change = (by: 1 | -1): void => {
    for (let from = 0; from < target.nodeCount; from++)
      for (let to = 0; to < target.nodeCount; to++)
        if (component[from] !== component[to]) target.network.cut(from, to, by);
  };
  change(1);
  target.during(forMs, component, () => change(-1));
}

function cut(target: FaultTarget, fault: Extract<Fault, { kind: 'cut' }>): void {
  if (fault.only === null) {
    target.network.cut(fault.from, fault.to, 1);
    target.during(fault.forMs, null, () => target.network.cut(fault.from, fault.to, -1));
    return;
  }
  const silence = {
    from: fault.from,
    to: fault.to,
    only: fault.only,
    loss: 1,
    duplicate: 0,
    duplicateLateMs: 0,
    reorder: 0,
    reorderMs: 0,
    extraDelayMs: 0,
  };
  target.network.impair(silence);
  target.during(fault.forMs, null, () => target.network.repair(silence));
}

function again(target: FaultTarget, forMs: number, everyMs: number, action: () => void): void {
  let going = true;
  const next = (): void => {
    if (!going) return;
    action();
    target.events.after(everyMs, next);
  };
  next();
  target.during(forMs, null, () => {
    going = false;
  });
}
