/** Bodies of the monitor's dangerous commands (client-protocol.md, 10.3): int16 tables with a row for each configured daemon. */

import { FLOW_LENGTH, FLOW_ROWS_OFFSET } from './layout/flow-command.ts';
import {
  FLOW_ROW_ACCELERATED_WINDOW_OFFSET,
  FLOW_ROW_LENGTH,
  FLOW_ROW_PERSONAL_WINDOW_OFFSET,
} from './layout/flow-row.ts';
import { MONITOR_HEADER_LENGTH } from './layout/monitor-header.ts';
import { PARTITION_COMPONENTS_OFFSET, PARTITION_LENGTH } from './layout/partition-command.ts';
import { type MonitorSender, MonitorType, writeMonitorRequest } from './monitor-header.ts';

const COMPONENT_LENGTH = 2;
const MAX_DAEMONS = (PARTITION_LENGTH - PARTITION_COMPONENTS_OFFSET) / COMPONENT_LENGTH;
const PARTITION_BODY_LENGTH = PARTITION_LENGTH - MONITOR_HEADER_LENGTH;
const FLOW_BODY_LENGTH = FLOW_LENGTH - MONITOR_HEADER_LENGTH;
/** In a partition: the daemon at this index is to end. */
const TERMINATE = -1;
/** In flow control: leave it as it is. */
const KEEP = -1;

export type MonitorCommand =
  /** Ignore daemons whose component differs. `components[node]` is an int16; all equal heals. */
  | { readonly kind: 'partition'; readonly components: readonly number[] }
  | { readonly kind: 'terminate' }
  /** Null: as it is. */
  | {
      readonly kind: 'flow';
      readonly window: number | null;
      readonly personalWindow: number | null;
      readonly acceleratedWindow: number | null;
    };

const componentAt = (node: number): number => PARTITION_COMPONENTS_OFFSET + node * COMPONENT_LENGTH;
/** Of the row behind the last daemon's: the window. */
const personalAt = (node: number): number =>
  FLOW_ROWS_OFFSET + node * FLOW_ROW_LENGTH + FLOW_ROW_PERSONAL_WINDOW_OFFSET;
const acceleratedAt = (node: number): number =>
  FLOW_ROWS_OFFSET + node * FLOW_ROW_LENGTH + FLOW_ROW_ACCELERATED_WINDOW_OFFSET;

/** The daemon a command goes to. */
export interface CommandTarget {
  /** Its index in the configuration, and how many daemons that has. */
  readonly node: number;
  readonly daemonCount: number;
  /** IPv4 address. */
  readonly address: number;
}

/**
 * A whole request, little-endian, without the trailer.
 * @throws RangeError when a value does not fit the format
 */
export function encodeCommand(command: MonitorCommand, target: CommandTarget, sender: MonitorSender): Uint8Array {
  const isFlow = command.kind === 'flow';
  const bodyLength = isFlow ? FLOW_BODY_LENGTH : PARTITION_BODY_LENGTH;
  const request = new Uint8Array(MONITOR_HEADER_LENGTH + bodyLength);
  const view = new DataView(request.buffer);
  writeMonitorRequest(
    view,
    isFlow ? MonitorType.FlowControl : MonitorType.Partition,
    sender,
    bodyLength,
    target.address,
  );
  const put = (at: number, value: number): void => {
    if (!Number.isInteger(value) || value < -32_768 || value > 32_767)
      throw new RangeError(`${command.kind}: ${value} is no 16-bit number`);
    view.setInt16(at, value, true);
  };
  if (command.kind === 'partition')
    for (const [node, component] of command.components.entries()) put(componentAt(node), component);
  else if (command.kind === 'terminate') put(componentAt(target.node), TERMINATE);
  else {
    for (let node = 0; node < MAX_DAEMONS; node++) {
      put(personalAt(node), KEEP);
      put(acceleratedAt(node), KEEP);
    }
    put(personalAt(target.node), command.personalWindow ?? KEEP);
    put(acceleratedAt(target.node), command.acceleratedWindow ?? KEEP);
    // The window's row is behind the last daemon's, and the table has 128.
    if (target.daemonCount < MAX_DAEMONS) put(personalAt(target.daemonCount), command.window ?? KEEP);
    else if (command.window !== null)
      throw new RangeError(`flow: with ${MAX_DAEMONS} daemons the format has no room for the window`);
  }
  return request;
}

/**
 * The command in the body of a request, as daemon `node` of `daemonCount` has to understand it.
 * @param littleEndian of the request
 * @returns null when type and length do not make a command
 */
export function decodeCommand(
  request: Uint8Array,
  type: number,
  bodyLength: number,
  littleEndian: boolean,
  node: number,
  daemonCount: number,
): MonitorCommand | null {
  if (request.length < MONITOR_HEADER_LENGTH + bodyLength) return null;
  const view = new DataView(request.buffer, request.byteOffset, request.length);
  const read = (at: number): number => view.getInt16(at, littleEndian);
  const unlessKept = (value: number): number | null => (value === KEEP ? null : value);
  if (type === MonitorType.Partition && bodyLength === PARTITION_BODY_LENGTH) {
    if (read(componentAt(node)) === TERMINATE) return { kind: 'terminate' };
    return {
      kind: 'partition',
      components: Array.from({ length: daemonCount }, (_, index) => read(componentAt(index))),
    };
  }
  if (type === MonitorType.FlowControl && bodyLength === FLOW_BODY_LENGTH) {
    return {
      kind: 'flow',
      window: daemonCount < MAX_DAEMONS ? unlessKept(read(personalAt(daemonCount))) : null,
      personalWindow: unlessKept(read(personalAt(node))),
      acceleratedWindow: unlessKept(read(acceleratedAt(node))),
    };
  }
  return null;
}
