/** Entry of a process with a daemon of mode `inline` that reports on request what it has done and allocated so far. */
import { getHeapStatistics } from 'node:v8';
import {
  AgentCounter,
  DeliveryCounter,
  deliveryCounters,
  RING_NODE_COUNTERS,
  ringCounters,
} from '../../engine/buffers/counters.ts';
import { RingCounter } from '../../engine/host/ring-counters.ts';

export interface ProbeReading {
  readonly heapBytes: number;
  readonly dutyCycles: number;
  readonly sleeps: number;
  readonly framesReceived: number;
  readonly framesDelivered: number;
  readonly socketWrites: number;
  readonly bytesSpilled: number;
  readonly packets: number;
}

export type ProbeMessage =
  | { readonly kind: 'ready'; readonly port: number }
  | { readonly kind: 'reading'; readonly reading: ProbeReading };

/** Requests to the probe: read the figures, do so after a garbage collection, or stop. */
export type ProbeRequest = 'read' | 'collect-and-read' | 'stop';

const tell = (message: ProbeMessage): boolean | undefined => process.send?.(message);

// The built daemon as shipped, not a copy in this bundle.
const entry = new URL('../index.js', import.meta.url).href;
const { startDaemon } = (await import(entry)) as typeof import('../../index.ts');
const daemon = await startDaemon({
  port: 0,
  listen: ['127.0.0.1'],
  unixSocketDir: null,
  threadingMode: 'inline',
  volatile: true,
  logLevel: 'error',
});
const delivery = deliveryCounters(daemon.counters, 0);
const ring = ringCounters(daemon.counters);

function read(): ProbeReading {
  return {
    heapBytes: getHeapStatistics().used_heap_size,
    dutyCycles: delivery[AgentCounter.DutyCycles],
    sleeps: delivery[AgentCounter.Sleeps],
    framesReceived: delivery[DeliveryCounter.FramesReceived],
    framesDelivered: delivery[DeliveryCounter.FramesDelivered],
    socketWrites: delivery[DeliveryCounter.SocketWrites],
    bytesSpilled: delivery[DeliveryCounter.BytesSpilled],
    packets: ring[RING_NODE_COUNTERS + RingCounter.PacketsDelivered],
  };
}

process.on('message', (request: ProbeRequest) => {
  if (request === 'stop') {
    void daemon.stop().then(() => process.disconnect());
    return;
  }
  if (request === 'collect-and-read') globalThis.gc?.();
  tell({ kind: 'reading', reading: read() });
});
// It ends with its parent.
process.on('disconnect', () => void daemon.stop());
tell({ kind: 'ready', port: daemon.port ?? 0 });
