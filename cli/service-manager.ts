/** Reports the daemon's state to systemd (`Type=notify`). */
import { spawn } from 'node:child_process';

/**
 * Sends assignments of sd_notify(3), such as `READY=1`. Does nothing unless a service manager asked for them.
 *
 * Node cannot write to a Unix datagram socket, so `systemd-notify` does it. That costs one process for each call, a few in all.
 * If it is missing or fails, the daemon continues and prints the reason; systemd ends such a start at its timeout.
 *
 * @returns resolves when systemd-notify has ended; never rejects
 */
export function notifyServiceManager(assignments: readonly string[]): Promise<void> {
  const { NOTIFY_SOCKET } = process.env;
  if (NOTIFY_SOCKET === undefined || NOTIFY_SOCKET === '') return Promise.resolve();
  return new Promise((resolve) => {
    const child = spawn('systemd-notify', [`--pid=${process.pid}`, ...assignments], {
      stdio: 'ignore',
      timeout: NOTIFY_TIMEOUT_MS,
    });
    child.once('error', (error) => {
      warn(`systemd-notify: ${error.message}`);
      resolve();
    });
    child.once('exit', (code, signal) => {
      if (code !== 0) warn(`systemd-notify ended with ${signal ?? `exit code ${code}`}`);
      resolve();
    });
  });
}

const NOTIFY_TIMEOUT_MS = 5000;

const warn = (reason: string): void =>
  void process.stderr.write(`skein: the service manager is not informed: ${reason}\n`);
