/** What a monitor's command for flow control comes to. */
import type { RingWindows } from '../../engine/host/ring-options.ts';
import type { MonitorCommand } from '../../engine/wire/monitor-commands.ts';

type FlowCommand = Extract<MonitorCommand, { readonly kind: 'flow' }>;

/** A monitor that changes what has no effect must not believe that it changed something. */
export const withoutEffect = (now: RingWindows, { acceleratedWindow }: FlowCommand): string | null =>
  acceleratedWindow === null || now.acceleratedRing || acceleratedWindow === now.acceleratedWindow
    ? null
    : `acceleratedWindow is ${acceleratedWindow}; it has no effect, because the ring is not accelerated`;

/** What is not given stays, as far as the smaller windows around it allow. */
export function changedWindows(now: RingWindows, change: FlowCommand): RingWindows {
  const window = change.window ?? now.window;
  const personalWindow = change.personalWindow ?? Math.min(now.personalWindow, window);
  const acceleratedWindow = change.acceleratedWindow ?? Math.min(now.acceleratedWindow, personalWindow);
  return { ...now, window, personalWindow, acceleratedWindow };
}
