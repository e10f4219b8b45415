/**
 * The key file of a cluster (ring-protocol.md, 8.3): lines `id:key`, id 0 to 255, key 32 bytes in base64; comments start with `#`. The first
 * line seals; all lines open, so a key is changed by adding the new one behind, then in front, then taking the old one away, with a
 * reload of every daemon after each step.
 */
import { Findings } from './config-error.ts';

export interface ClusterKey {
  readonly id: number;
  /** 32 bytes, base64. */
  readonly key: string;
}

/** Valid at once; more would only keep old ones alive. */
export const MAX_CLUSTER_KEYS = 4;
const MAX_ID = 255;
const LINE = /^(\d{1,3}):([A-Za-z0-9+/]{43}=)$/;

/**
 * @param name of the file, for errors
 * @throws ConfigError when a line is wrong or there is no key: a daemon must not run unsealed by accident
 */
export function parseClusterKeys(text: string, name: string): readonly ClusterKey[] {
  const findings = new Findings();
  const keys: ClusterKey[] = [];
  for (const [i, raw] of text.split('\n').entries()) {
    const content = raw.trim();
    if (content === '' || content.startsWith('#')) continue;
    const at = { line: i + 1, column: 1 };
    const match = LINE.exec(content);
    const id = Number(match?.[1]);
    if (match === null || id > MAX_ID) {
      findings.problem(
        at,
        `${name} line ${i + 1}: a line is ID:KEY, ID 0 to ${MAX_ID}, KEY 32 bytes in base64 (44 characters)`,
      );
    } else if (keys.some((key) => key.id === id))
      findings.problem(at, `${name} line ${i + 1}: key ${id} is listed twice`);
    else keys.push({ id, key: match[2]! });
  }
  if (keys.length === 0) findings.problem(null, `${name} holds no key`);
  if (keys.length > MAX_CLUSTER_KEYS)
    findings.problem(null, `${name} holds ${keys.length} keys; the limit is ${MAX_CLUSTER_KEYS}`);
  // Without the text: an excerpt of it would print a key.
  findings.throwIfAny(null);
  return keys;
}
