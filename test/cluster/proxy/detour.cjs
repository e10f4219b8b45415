/**
 * Preloaded into every thread of a daemon under test: what it sends to a daemon on 127.0.0.N goes to 127.0.1.N, where the proxy listens.
 * The daemon itself, its configuration and its hash are those of an ordinary one.
 */
const { Socket } = require('node:dgram');

const { send } = Socket.prototype;

Socket.prototype.send = function sendByProxy(bytes, offset, lengthBytes, port, host, ...rest) {
  const detour = typeof host === 'string' ? host.replace(/^127\.0\.0\./, '127.0.1.') : host;
  return send.call(this, bytes, offset, lengthBytes, port, detour, ...rest);
};
