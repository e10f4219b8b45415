/** What has changed in the content of the files beside the configuration, without their secrets. Pure. */
import { X509Certificate } from 'node:crypto';
import type { ClusterKey } from '../../engine/config/cluster-keys.ts';
import { plural } from '../../engine/plural.ts';
import type { OperatorFiles } from '../operator-files.ts';
import type { OptionDifference } from './option-changes.ts';

/** @returns one difference for each file whose content differs, named after its option */
export function compareFiles(inForce: OperatorFiles, read: OperatorFiles): readonly OptionDifference[] {
  const differences: OptionDifference[] = [];
  const compare = (option: string, was: unknown, now: unknown, describe: (content: never) => string): void => {
    if (JSON.stringify(was) === JSON.stringify(now)) return;
    differences.push({ option, was: describe(was as never), now: describe(now as never) });
  };
  compare(
    'AccessIpFile',
    inForce.access.rules,
    read.access.rules,
    ({ length }: readonly unknown[]) => `${length} ${plural(length, 'rule')}`,
  );
  compare(
    'PasswordFile',
    [...inForce.passwords],
    [...read.passwords],
    ({ length }: readonly unknown[]) => `${length} ${plural(length, 'user')}`,
  );
  compare(
    'ScramFile',
    scramContent(inForce),
    scramContent(read),
    ([entries]: readonly [readonly unknown[], string]) => `${entries.length} ${plural(entries.length, 'user')}`,
  );
  compare(
    'AccessFile',
    linesOf(inForce),
    linesOf(read),
    ({ length }: readonly unknown[]) => `${length} ${plural(length, 'line')}`,
  );
  compare('TlsCertificateFile', inForce.tls?.certificate, read.tls?.certificate, certificateText);
  compare('TlsKeyFile', inForce.tls?.key, read.tls?.key, () => 'a private key');
  compare('TlsAuthorityFile', inForce.tls?.authority, read.tls?.authority, certificateText);
  compare('ClusterKeyFile', inForce.clusterKeys ?? [], read.clusterKeys ?? [], keysText);
  return differences;
}

const scramContent = ({ scram }: OperatorFiles): readonly [readonly unknown[], string] => [
  [...scram.entries],
  scram.secret,
];

/** Where they stand has no effect. */
const linesOf = ({ rights }: OperatorFiles): readonly unknown[] =>
  rights?.lines.map(({ who, grants }) => ({ who, grants })) ?? [];

/** Of the first certificate. */
function certificateText(pem: string | null | undefined): string {
  if (pem == null) return 'none';
  const { subject, validTo } = new X509Certificate(pem);
  return `${(subject ?? '').replaceAll('\n', ', ')} until ${validTo}`;
}

/** The first seals. */
const keysText = (keys: readonly ClusterKey[]): string =>
  keys.length === 0 ? 'none' : `keys ${keys.map(({ id }) => id).join(' ')}`;
