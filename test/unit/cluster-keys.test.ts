import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { parseClusterKeys } from '../../engine/config/cluster-keys.ts';
import { ConfigError } from '../../engine/config/config-error.ts';

const key = (id: number): { id: number; key: string } => ({ id, key: randomBytes(32).toString('base64') });
const A = key(1);
const B = key(2);

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
