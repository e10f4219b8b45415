/** Bodies of the monitor's dangerous commands (client-protocol.md, 10.3): int16 tables with a row for each configured daemon. */
import { MONITOR_HEADER_LENGTH, type MonitorSender, MonitorType, writeMonitorRequest } from './monitor-header.ts';

const MAX_DAEMONS = 128;
const PARTITION_BODY_LENGTH = MAX_DAEMONS * 2;
const FLOW_BODY_LENGTH = MAX_DAEMONS * 4;
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
  const put = (index: number, value: number): void => {
    if (!Number.isInteger(value) || value < -32_768 || value > 32_767)
      throw new RangeError(`${command.kind}: ${value} is no 16-bit number`);
    view.setInt16(MONITOR_HEADER_LENGTH + index * 2, value, true);
  };
  if (command.kind === 'partition') for (const [node, component] of command.components.entries()) put(node, component);
  else if (command.kind === 'terminate') put(target.node, TERMINATE);
  else {
    for (let index = 0; index < FLOW_BODY_LENGTH / 2; index++) put(index, KEEP);
    put(target.node * 2, command.personalWindow ?? KEEP);
    put(target.node * 2 + 1, command.acceleratedWindow ?? KEEP);
    // The window's row is behind the last daemon's, and the table has 128.
    if (target.daemonCount < MAX_DAEMONS) put(target.daemonCount * 2, command.window ?? KEEP);
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
  const at = (index: number): number => view.getInt16(MONITOR_HEADER_LENGTH + index * 2, littleEndian);
  const unlessKept = (value: number): number | null => (value === KEEP ? null : value);
  if (type === MonitorType.Partition && bodyLength === PARTITION_BODY_LENGTH) {
    if (at(node) === TERMINATE) return { kind: 'terminate' };
    return { kind: 'partition', components: Array.from({ length: daemonCount }, (_, index) => at(index)) };
  }
  if (type === MonitorType.FlowControl && bodyLength === FLOW_BODY_LENGTH) {
    return {
      kind: 'flow',
      window: daemonCount < MAX_DAEMONS ? unlessKept(at(daemonCount * 2)) : null,
      personalWindow: unlessKept(at(node * 2)),
      acceleratedWindow: unlessKept(at(node * 2 + 1)),
    };
  }
  return null;
}
