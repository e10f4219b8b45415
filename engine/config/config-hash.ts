/**
 * Fingerprints of a configuration: daemons talk only to daemons with the same one.
 *
 * `configHash` is Spread's (section 9.5), seen in its monitor protocol. The ring uses the 128-bit `clusterHash`, which
 * covers the same text: what must agree, and nothing that each daemon may choose alone.
 */
import type { DaemonConfiguration, HostInterface } from './daemon-configuration.ts';

const PROTOCOL_LINE = 'Version: 4.4\n';

/** The text that is hashed; ASCII, because daemon names and addresses are. */
export function hashedText(configuration: DaemonConfiguration): string {
  const { excludeSegAddrsFromHash, acceleratedRing } = configuration.options;
  const segments = configuration.segments.map(({ address, port, hosts }) => {
    const entries = hosts.map((host) => `${host.name} ${host.address} ${host.interfaces.map(interfaceText).join('')}`);
    return `Segment ${excludeSegAddrsFromHash ? '' : address}:${port} ${entries.join('')}\n`;
  });
  return `${segments.join('')}${PROTOCOL_LINE}${acceleratedRing === true ? '1' : '0'}`;
}

function interfaceText({ address, uses, implicit }: HostInterface): string {
  const tags = `${implicit ? 'ANY ' : ''}${uses.daemons ? 'D ' : ''}${uses.clients ? 'C ' : ''}${uses.monitor ? 'M ' : ''}`;
  return `${tags}${address} `;
}

/** 32 bits, unsigned. */
export const configHash = (configuration: DaemonConfiguration): number => hash32(hashedText(configuration));

/** 16 bytes: four hashes of the text, each behind the number of its lane. */
export function clusterHash(configuration: DaemonConfiguration): Uint8Array {
  const text = hashedText(configuration);
  const view = new DataView(new ArrayBuffer(16));
  for (let lane = 0; lane < 4; lane++) view.setUint32(lane * 4, hash32(`${lane}${text}`), true);
  return new Uint8Array(view.buffer);
}

/** Hash of section 9.5 over the bytes of an ASCII text, in unsigned 32-bit arithmetic. */
export function hash32(text: string): number {
  const n = text.length;
  let r = n ^ (n << 8) ^ (n << 16) ^ (n << 24);
  for (let i = 0; i < n; i++) {
    r = (r + text.charCodeAt(i)) | 0;
    r = (r + (r << 10)) | 0;
    r ^= r >>> 6;
  }
  r = (r + (r << 3)) | 0;
  r ^= r >>> 11;
  r = (r + (r << 15)) | 0;
  return r >>> 0;
}
