import { freePort, outputOf, startChild } from './child.ts';
import { type System, singleBrokerUnsuited } from './system.ts';

/** libzmq's forwarding device. The interpreter only starts it; the loop is inside libzmq. */
const FORWARDER = `
import sys, zmq
context = zmq.Context()
front, back = context.socket(zmq.XSUB), context.socket(zmq.XPUB)
for s in (front, back):
    s.setsockopt(zmq.SNDHWM, 0)
    s.setsockopt(zmq.RCVHWM, 0)
back.setsockopt(zmq.XPUB_VERBOSE, 1)
front.bind('tcp://127.0.0.1:' + sys.argv[1])
back.bind('tcp://127.0.0.1:' + sys.argv[2])
print('forwarding', flush=True)
zmq.proxy(front, back)
`;

/** Debian's interpreter, because Debian's binding belongs to it. */
const PYTHON = '/usr/bin/python3';

export const zeromqSystem: System = {
  id: 'zeromq',
  title: 'ZeroMQ forwarder',
  debianPackages: ['python3-zmq'],
  guarantees: {
    order: 'FIFO per publisher',
    reliability: 'at most once; beyond the high-water mark messages are dropped',
    membership: 'none',
  },
  configuration: 'zmq_proxy between XSUB and XPUB, no high-water marks, TCP on both sides',
  async availability() {
    const output = await outputOf(PYTHON, ['-c', 'import zmq; print("libzmq", zmq.zmq_version())']);
    const version = /libzmq (\S+)/.exec(output ?? '')?.[1];
    if (version !== undefined) return { available: true, version };
    return { available: false, why: 'python3-zmq is not installed (Debian package; or --install-peers)' };
  },
  unsuited: singleBrokerUnsuited,
  protocol: () => ({ kind: 'zmtp' }),
  async start(request) {
    const front = await freePort();
    let back = await freePort();
    while (back === front) back = await freePort();
    const child = startChild(PYTHON, ['-c', FORWARDER, String(front), String(back)], request.directory);
    try {
      await child.printed('forwarding');
    } catch (error) {
      await child.stop();
      throw error;
    }
    return {
      endpoints: [{ host: '127.0.0.1', port: back }],
      senderEndpoints: [{ host: '127.0.0.1', port: front }],
      pids: [child.pid],
      stop: () => child.stop(),
    };
  },
};
