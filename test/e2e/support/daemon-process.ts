/** A daemon in its own process, so that its memory can be measured apart from the test's. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { onTestFinished } from 'vitest';
import { DeliveryCounter, deliveryCounters, OrderingCounter, ringCounters } from '../../../engine/buffers/counters.ts';

const LIBRARY = pathToFileURL(fileURLToPath(new URL('../../../dist/index.js', import.meta.url))).href;

/** `--expose-gc`: garbage must not count as kept memory. */
const PROGRAM = `
  import { createInterface } from 'node:readline';
  import { startDaemon } from ${JSON.stringify(LIBRARY)};
  const daemon = await startDaemon(JSON.parse(process.env.OPTIONS));
  const tell = (told) => console.log(JSON.stringify(told));
  tell({ port: daemon.port });
  const page = new Float64Array(daemon.counters.memory);
  for await (const line of createInterface({ input: process.stdin })) {
    globalThis.gc();
    tell({ rssBytes: process.memoryUsage().rss, page: [...page] });
  }`;

export interface DaemonFigures {
  readonly rssBytes: number;
  readonly delivery: (counter: keyof typeof DeliveryCounter) => number;
  readonly ordering: (counter: keyof typeof OrderingCounter) => number;
}

export interface DaemonProcess {
  readonly port: number;
  figures(): Promise<DaemonFigures>;
}

/** Takes the options of `startDaemon`; its agents share the main thread, and it ends with the test. */
export async function daemonProcess(options: object): Promise<DaemonProcess> {
  const all = { port: 0, logLevel: 'silent', unixSocketDir: null, threadingMode: 'inline', ...options };
  const child = spawn(process.execPath, ['--expose-gc', '--input-type=module', '-e', PROGRAM], {
    env: { ...process.env, OPTIONS: JSON.stringify(all) },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<{ port: number; rssBytes: number; page: number[] }> => {
    const { value, done } = await lines.next();
    if (done === true) throw new Error('the daemon has ended');
    return JSON.parse(value);
  };
  const { port } = await next();
  return {
    port,
    async figures() {
      child.stdin.write('\n');
      const { rssBytes, page } = await next();
      const counters = { deliveryWorkers: 1, memory: new SharedArrayBuffer(page.length * 8) };
      new Float64Array(counters.memory).set(page);
      return {
        rssBytes,
        delivery: (counter) => deliveryCounters(counters, 0)[DeliveryCounter[counter]]!,
        ordering: (counter) => ringCounters(counters)[OrderingCounter[counter]]!,
      };
    },
  };
}
