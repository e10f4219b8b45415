import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { parseClusterKeys } from '../../engine/config/cluster-keys.ts';
import { ConfigError } from '../../engine/config/config-error.ts';
import { AeadSealer } from '../../workers/ring/aead-sealer.ts';
import { ReplayWindow } from '../../workers/ring/replay-window.ts';

const key = (id: number): { id: number; key: string } => ({ id, key: randomBytes(32).toString('base64') });
const HEADER = 40;
const A = key(1);
const B = key(2);

/** A datagram as a ring node hands it over, with room for the trailer. */
function datagram(node: number, incarnation: number, text: string): { bytes: Uint8Array; length: number } {
  const bytes = Buffer.alloc(HEADER + text.length + 24);
  bytes.writeUInt16LE(node, 12);
  bytes.writeUIntLE(incarnation, 16, 6);
  bytes.write(text, HEADER);
  return { bytes, length: HEADER + text.length };
}

function sealed(sealer: AeadSealer, node: number, incarnation: number, text: string): Uint8Array {
  const { bytes, length } = datagram(node, incarnation, text);
  return bytes.subarray(0, sealer.seal(bytes, 0, length));
}

const opened = (sealer: AeadSealer, bytes: Uint8Array): string | null => {
  const copy = Uint8Array.from(bytes);
  const length = sealer.open(copy, 0, copy.length);
  return length === -1 ? null : Buffer.from(copy.subarray(HEADER, length)).toString();
};

describe('AeadSealer', () => {
  it('opens what another daemon with the key sealed, and hides it from readers', () => {
    const bytes = sealed(new AeadSealer([A]), 3, 77, 'the token');
    expect(Buffer.from(bytes).includes('token')).toBe(false);
    expect(opened(new AeadSealer([A]), bytes)).toBe('the token');
  });

  it('refuses any change, in header, body or trailer', () => {
    const bytes = sealed(new AeadSealer([A]), 3, 77, 'the token');
    for (let i = 0; i < bytes.length; i++) {
      const receiver = new AeadSealer([A]);
      const changed = Uint8Array.from(bytes);
      changed[i]! ^= 1;
      // One byte of the trailer is reserved and means nothing.
      if (i !== bytes.length - 23) expect(opened(receiver, changed), `byte ${i}`).toBeNull();
    }
    for (let length = 0; length < bytes.length; length++) {
      expect(opened(new AeadSealer([A]), bytes.subarray(0, length))).toBeNull();
    }
  });

  it('refuses other keys under the same id', () => {
    const receiver = new AeadSealer([{ ...B, id: A.id }]);
    expect(opened(receiver, sealed(new AeadSealer([A]), 3, 77, 'x'))).toBeNull();
    expect(receiver.refused).toBe(1);
  });

  it('opens nothing twice, and takes datagrams out of order', () => {
    const sender = new AeadSealer([A]);
    const receiver = new AeadSealer([A]);
    const first = sealed(sender, 3, 77, 'one');
    const second = sealed(sender, 3, 77, 'two');
    expect(opened(receiver, second)).toBe('two');
    expect(opened(receiver, first)).toBe('one');
    expect(opened(receiver, second)).toBeNull();
    expect(opened(receiver, first)).toBeNull();
  });

  it('gives every transmitter and every run a key of its own', () => {
    const bytes = (node: number, run: number): string =>
      Buffer.from(sealed(new AeadSealer([A]), node, run, 'same')).toString('hex', 40, 44);
    expect(new Set([bytes(1, 5), bytes(2, 5), bytes(1, 6)]).size).toBe(3);
  });

  it('does not let an earlier run displace what is known of a later one', () => {
    const receiver = new AeadSealer([A]);
    const later = sealed(new AeadSealer([A]), 3, 78, 'later');
    expect(opened(receiver, later)).toBe('later');
    expect(opened(receiver, sealed(new AeadSealer([A]), 3, 77, 'earlier'))).toBe('earlier');
    expect(opened(receiver, later)).toBeNull();
  });

  it('rotates: both keys open while both are listed, the old one no more when it is gone', () => {
    const sender = new AeadSealer([A]);
    const receiver = new AeadSealer([A, B]);
    expect(opened(receiver, sealed(sender, 3, 77, 'by A'))).toBe('by A');
    sender.setKeys([B, A]);
    expect(opened(receiver, sealed(sender, 3, 77, 'by B'))).toBe('by B');
    receiver.setKeys([B]);
    expect(opened(receiver, sealed(sender, 3, 77, 'again'))).toBe('again');
    sender.setKeys([A]);
    expect(opened(receiver, sealed(sender, 3, 77, 'old'))).toBeNull();
  });
});

describe('ReplayWindow', () => {
  it('agrees with a set of everything seen, within its width', () => {
    const window = new ReplayWindow();
    const seen = new Set<number>();
    let highest = 0;
    for (let i = 0; i < 20_000; i++) {
      const counter = 1 + ((i * 7919) % 4096) + Math.floor(i / 8);
      const fresh = !seen.has(counter) && counter > highest - 1024;
      expect(window.isFresh(counter), `counter ${counter}`).toBe(fresh);
      if (!fresh) continue;
      window.accept(counter);
      seen.add(counter);
      highest = Math.max(highest, counter);
    }
  });
});

describe('parseClusterKeys', () => {
  it('reads ids and keys, the sealing one first', () => {
    expect(parseClusterKeys(`# ring\n1:${A.key}\n\n2:${B.key}\n`, 'keys')).toEqual([A, B]);
  });

  it.each([
    ['nothing', '# none\n', /holds no key/],
    ['a short key', '1:AAAA\n', /keys line 1.*32 bytes in base64/],
    ['an id above 255', `256:${A.key}\n`, /ID 0 to 255/],
    ['an id twice', `1:${A.key}\n1:${B.key}\n`, /line 2: key 1 is listed twice/],
  ])('refuses %s without printing a key', (_what, text, message) => {
    const read = (): unknown => parseClusterKeys(text, 'keys');
    expect(read).toThrow(ConfigError);
    expect(read).toThrow(message);
    try {
      read();
    } catch (error) {
      expect(String(error)).not.toContain(A.key);
    }
  });
});
