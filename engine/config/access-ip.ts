/**
 * `spread.access_ip`: which client addresses the IP authentication method lets in (section 1.6). Allow only, deny by
 * default; a line that cannot be read allows nobody.
 */
import { type ConfigProblem, Findings } from './config-error.ts';
import { ipv4FromNumber, ipv4ToNumber } from './ipv4.ts';

export interface AccessRule {
  /** As written: with host bits set it matches no address, as in the original. Unsigned. */
  readonly network: number;
  readonly prefixBits: number;
  /** 1-based. */
  readonly line: number;
}

export interface AccessList {
  readonly rules: readonly AccessRule[];
  /** Lines that allow nobody: unreadable, or with a network that no address can match. For the log. */
  readonly problems: readonly ConfigProblem[];
}

/** Allows no address: the meaning of a missing file. */
export const EMPTY_ACCESS_LIST: AccessList = { rules: [], problems: [] };

/** Clients of the Unix socket have this address. */
const UNIX_ADDRESS = 0;
const LOOPBACK_NETWORK = 0x7f00_0000;

/** Never throws: bad lines are skipped and reported. */
export function parseAccessIp(text: string): AccessList {
  const findings = new Findings();
  const rules = text.split('\n').flatMap((line, i) => {
    const rule = parseLine(line.replace(/\s+/g, ' ').trim(), i + 1, findings);
    return rule === null ? [] : [rule];
  });
  return { rules, problems: [...findings.problems, ...findings.warnings].sort((a, b) => a.line! - b.line!) };
}

const ADDRESS_LINE = /^([\d.]+)(?: ?\/ ?(\d{1,3}))?(?: ?#.*)?$/;

function parseLine(content: string, line: number, findings: Findings): AccessRule | null {
  if (content === '' || content.startsWith('#')) return null;
  if (content.startsWith('unix')) return { network: UNIX_ADDRESS, prefixBits: 32, line };
  if (content.startsWith('local')) return { network: LOOPBACK_NETWORK, prefixBits: 8, line };

  const at = { line, column: 1, lengthChars: content.length };
  const [, address, prefix = '32'] = ADDRESS_LINE.exec(content) ?? [];
  const network = address === undefined ? null : ipv4ToNumber(address);
  if (network === null) {
    findings.wrongValue(at, 'line of the access file', content, 'unix, local, a.b.c.d, a.b.c.d/prefix or a # comment');
    return null;
  }
  const prefixBits = Number(prefix);
  if (prefixBits > 32) {
    findings.wrongValue(at, 'prefix', prefixBits, 'an integer from 0 to 32');
    return null;
  }
  const rule = { network, prefixBits, line };
  const masked = (network & maskOf(prefixBits)) >>> 0;
  if (masked !== network) {
    const meant = `${ipv4FromNumber(masked)}/${prefixBits}`;
    findings.warn(at, `${content} has bits set behind its prefix and matches no address; is ${meant} meant?`);
  }
  return rule;
}

/** A shift by 32 is a shift by 0 in JavaScript. */
const maskOf = (prefixBits: number): number => (prefixBits === 0 ? 0 : -1 << (32 - prefixBits));

/**
 * @param remoteAddress of a TCP client, also in the form `::ffff:a.b.c.d`; null for a client of the Unix socket
 */
export function isAddressAllowed(list: AccessList, remoteAddress: string | null): boolean {
  const client = remoteAddress === null ? UNIX_ADDRESS : ipv4ToNumber(remoteAddress.replace(/^::ffff:/i, ''));
  if (client === null) return false;
  return list.rules.some(({ network, prefixBits }) => (client & maskOf(prefixBits)) >>> 0 === network);
}
