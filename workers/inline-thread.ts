/** The one thread of mode `inline`: the caller's, in which all agents run. */
import { DoorbellRinger } from '../engine/buffers/doorbell.ts';
import { closeAgents, EventLoopThread, ThreadController } from './agent-thread.ts';
import type { RunningThread, ThreadParts } from './running-thread.ts';
import { monotonicNow, setUpThread } from './thread-setup.ts';

export function inlineThread({ spec, plan, memory, events }: ThreadParts): RunningThread {
  const own = memory.threads[0]!;
  let end = (): void => {};
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  let eventLoop: EventLoopThread | null = null;
  const schedule = (): void => eventLoop?.schedule();
  const agents = setUpThread({
    spec,
    plan,
    memory,
    thread: 0,
    wake: () => {},
    log: (record) => events.log(record),
    tell: (event) => events.tell(event),
    report: (report) => events.report(report),
    schedule,
    requestStop: () => events.stopRequested(),
  });
  return {
    name: 'inline',
    controller: new ThreadController(own.control),
    doorbell: new DoorbellRinger(own.doorbell, schedule),
    listen: (addresses, reusePort, clientPort) => agents.listen(addresses, reusePort, clientPort),
    run: () => {
      eventLoop = new EventLoopThread(agents.agents, own, monotonicNow, (failure) => {
        if (failure !== null) events.failed(failure);
        end();
      });
      eventLoop.schedule();
    },
    prepare: (snapshot) => ({ apply: agents.prepare(snapshot), discard: () => {} }),
    order: (role, order) => agents.order(role, order),
    inspect: async () => agents.inspect(),
    load: () => performance.eventLoopUtilization(),
    ended,
    // Before its loop runs an inline thread has nothing but sockets.
    terminate: () => {
      closeAgents(agents.agents);
      end();
    },
  };
}
