/** The files beside the configuration that a daemon reads at its start: access rules, passwords and the cluster's keys. */
import { randomBytes } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { parseAccessFile } from '../engine/access/access-file.ts';
import type { AccessRules } from '../engine/access/access-rules.ts';
import { type AccessList, EMPTY_ACCESS_LIST, parseAccessIp } from '../engine/config/access-ip.ts';
import type { ClusterKey } from '../engine/config/cluster-keys.ts';
import { ConfigError, type ConfigProblem } from '../engine/config/config-error.ts';
import type { AuthMethodName, ConfigurationOptions } from '../engine/config/configuration-options.ts';
import { loginCosts } from '../engine/config/password-cost.ts';
import { type PasswordEntry, parsePasswordFile } from '../engine/config/password-file.ts';
import { parseScramFile, SCRAM_SECRET_BYTES, type ScramUsers, scramCosts } from '../engine/config/scram-file.ts';
import { servesTls, type TlsListenKey } from '../engine/config/tls-listeners.ts';
import type { TlsSettings } from '../workers/delivery/tls-settings.ts';
import { TokenFile } from './http/token-file.ts';
import { readKeyFile } from './key-file.ts';
import { secretModeProblem } from './secret-mode.ts';
import { readTextFile } from './text-file.ts';
import { readCertificateAndKey, readCertificateFile, readPrivateKeyFile, readTlsFiles } from './tls-files.ts';

/** Where Spread looks for its access files behind the folder of the start (client-protocol.md, 1.6). */
const SYSTEM_FOLDER = '/etc';

type FileOptions = Pick<
  ConfigurationOptions,
  | 'allowedAuthMethods'
  | 'requiredAuthMethods'
  | 'accessIpFile'
  | 'passwordFile'
  | 'scramFile'
  | 'accessFile'
  | 'clusterKeyFile'
  | 'httpTokenFile'
  | TlsListenKey
  | 'tlsCertificateFile'
  | 'tlsKeyFile'
  | 'tlsAuthorityFile'
  | 'tlsClientCertificate'
>;

export interface OperatorFiles {
  readonly access: AccessList;
  readonly passwords: ReadonlyMap<string, PasswordEntry>;
  readonly scram: ScramUsers;
  /** Null: everything is allowed. */
  readonly rights: AccessRules | null;
  /** Null: no TLS for clients. */
  readonly tls: TlsSettings | null;
  /** Null: traffic between daemons is not sealed. */
  readonly clusterKeys: readonly ClusterKey[] | null;
}

/**
 * @param warnings takes what deserves a line in the log
 * @param mistakes takes lines that admit nobody because they are wrong; a start warns of them
 * @param folder where the daemon was started: Spread's access files may be there
 * @throws (rejects) when a file that is needed cannot be used; ConfigError for what is in the key file or in `AccessFile`
 */
export async function readOperatorFiles(
  options: FileOptions,
  warnings: string[],
  mistakes: string[] = warnings,
  folder: string = process.cwd(),
): Promise<OperatorFiles> {
  const { clusterKeyFile, accessFile } = options;
  return {
    access: uses(options, 'IP')
      ? await readAccessList(options.accessIpFile, warnings, mistakes, folder)
      : EMPTY_ACCESS_LIST,
    passwords: uses(options, 'PWORD')
      ? await readPasswords(options.passwordFile, warnings, mistakes, folder)
      : new Map(),
    scram: uses(options, 'SCRAM-SHA-256')
      ? await readScramUsers(options.scramFile, warnings, mistakes)
      : NO_SCRAM_USERS,
    rights: accessFile === null ? null : await readRights(accessFile, options, warnings),
    tls: servesTls(options) ? await readTlsFiles(options, warnings) : null,
    clusterKeys: clusterKeyFile === null ? null : await readClusterKeys(clusterKeyFile, warnings),
  };
}

export interface CheckedFiles {
  readonly problems: readonly ConfigProblem[];
  readonly warnings: readonly ConfigProblem[];
}

/** Reads them as a start would, and reports all errors. A file that this user may not read is a warning. */
export async function checkOperatorFiles(options: FileOptions): Promise<CheckedFiles> {
  const problems: ConfigProblem[] = [];
  const warnings: ConfigProblem[] = [];
  const check: Check = async (field, file, isUsed, read) => {
    if (!isUsed) return;
    const told: string[] = [];
    try {
      if (file !== null && (await isStream(file)))
        told.push(`${file}: not checked, because it is no regular file and may be read only once`);
      else await read(told);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (error instanceof ConfigError)
        for (const line of error.message.split('\n')) problems.push({ field, message: line });
      else if (code === 'EACCES' || code === 'EPERM')
        warnings.push({ field, message: `${field} not checked: ${message}; check as the user that starts the daemon` });
      else problems.push({ field, message: `${field}: ${message}` });
    }
    for (const message of told) warnings.push({ field, message });
  };
  const { accessIpFile, passwordFile, scramFile, accessFile, clusterKeyFile, httpTokenFile } = options;
  await check('AccessIpFile', accessIpFile, uses(options, 'IP'), (told) => readAccessList(accessIpFile, told));
  await check('PasswordFile', passwordFile, uses(options, 'PWORD'), (told) => readPasswords(passwordFile, told));
  await check('ScramFile', scramFile, uses(options, 'SCRAM-SHA-256'), (told) => readScramUsers(scramFile, told));
  await check('AccessFile', accessFile, accessFile !== null, (told) => readRights(accessFile!, options, told));
  await check('ClusterKeyFile', clusterKeyFile, clusterKeyFile !== null, (told) =>
    readClusterKeys(clusterKeyFile!, told),
  );
  await check('HttpTokenFile', httpTokenFile, httpTokenFile !== null, () => TokenFile.check(httpTokenFile!));
  await checkTls(options, check);
  return { problems, warnings };
}

type Check = (
  field: string,
  file: string | null,
  isUsed: boolean,
  read: (told: string[]) => Promise<unknown>,
) => Promise<void>;

/** One by one first, so that each problem names its option; what they are together only when each is good. */
async function checkTls(options: FileOptions, check: Check): Promise<void> {
  const { tlsCertificateFile, tlsKeyFile, tlsAuthorityFile, tlsClientCertificate } = options;
  const isUsed = servesTls(options);
  let good = 0;
  await check('TlsCertificateFile', tlsCertificateFile, isUsed, async (told) => {
    await readCertificateFile(tlsCertificateFile!, told);
    good++;
  });
  await check('TlsKeyFile', tlsKeyFile, isUsed, async () => {
    await readPrivateKeyFile(tlsKeyFile!);
    good++;
  });
  await check('TlsKeyFile', tlsKeyFile, good === 2, () => readCertificateAndKey(options, []));
  await check(
    'TlsAuthorityFile',
    tlsAuthorityFile,
    isUsed && (tlsClientCertificate !== 'none' || options.httpTlsListen.length > 0) && tlsAuthorityFile !== null,
    (told) => readCertificateFile(tlsAuthorityFile!, told),
  );
}

function uses({ allowedAuthMethods, requiredAuthMethods }: FileOptions, method: AuthMethodName): boolean {
  return allowedAuthMethods.includes(method) || requiredAuthMethods.includes(method);
}

async function isStream(file: string): Promise<boolean> {
  const found = await stat(file).catch(() => null);
  return found !== null && !found.isFile() && !found.isDirectory();
}

async function readClusterKeys(file: string, warnings: string[]): Promise<readonly ClusterKey[]> {
  const { keys, warnings: told } = await readKeyFile(file);
  warnings.push(...told);
  return keys;
}

async function readRights(file: string, options: FileOptions, warnings: string[]): Promise<AccessRules> {
  const { rules, warnings: told } = parseAccessFile(await readTextFile(file), file);
  warnings.push(...told);
  const ofUser = rules.lines.find(({ who }) => who.user !== null);
  if (ofUser !== undefined && !provesUsers(options))
    warnings.push(`${file}:${ofUser.line}:1: user has no effect: no authentication method proves who a client is`);
  return rules;
}

const provesUsers = (options: FileOptions): boolean =>
  (servesTls(options) && options.tlsClientCertificate !== 'none') ||
  [...options.allowedAuthMethods, ...options.requiredAuthMethods].some(
    (method) => method !== 'NULL' && method !== 'IP',
  );

async function readAccessList(
  file: string | null,
  warnings: string[],
  mistakes: string[] = warnings,
  folder: string = process.cwd(),
): Promise<AccessList> {
  const found = await readSpreadAccessFile(file, 'spread.access_ip', warnings, folder);
  if (found === null) return EMPTY_ACCESS_LIST;
  const list = parseAccessIp(found.text);
  mistakes.push(...placed(found.path, list.problems));
  if (list.rules.length === 0) warnings.push(`${found.path}: has no rule; every check by it fails`);
  return list;
}

async function readPasswords(
  file: string | null,
  warnings: string[],
  mistakes: string[] = warnings,
  folder: string = process.cwd(),
): Promise<ReadonlyMap<string, PasswordEntry>> {
  const found = await readSpreadAccessFile(file, 'spread.access_pword', warnings, folder);
  if (found === null) return new Map();
  const { entries, problems } = parsePasswordFile(found.text);
  mistakes.push(...placed(found.path, problems));
  const costs = loginCosts(entries.values()).length;
  if (costs > 1)
    warnings.push(
      `${found.path}: its hashes have ${costs} different costs, and each login takes the time of all of them; set those passwords again with "skein passwd"`,
    );
  if (entries.size === 0) warnings.push(`${found.path}: has no user; every check by it fails`);
  return entries;
}

/** Of this process: a reload without the line in the file must not change the salts of unknown users. */
const OWN_SECRET = randomBytes(SCRAM_SECRET_BYTES).toString('base64');

const NO_SCRAM_USERS: ScramUsers = { entries: new Map(), secret: OWN_SECRET };

/** @param file null: the configuration is refused for it */
async function readScramUsers(
  file: string | null,
  warnings: string[],
  mistakes: string[] = warnings,
): Promise<ScramUsers> {
  if (file === null) return NO_SCRAM_USERS;
  const { entries, secret, problems } = parseScramFile(await readTextFile(file));
  mistakes.push(...placed(file, problems));
  const { mode } = await stat(file);
  const problem = secretModeProblem(mode, 'what is kept of passwords');
  if (problem !== null) warnings.push(`${file}: ${problem}`);
  const costs = scramCosts(entries.values()).length;
  if (costs > 1)
    warnings.push(
      `${file}: its users have ${costs} different iterations or lengths of salts, by which strangers may guess who is a user; set those passwords again with "skein passwd"`,
    );
  if (secret === null && entries.size > 0)
    warnings.push(
      `${file}: has no line with a secret, so strangers can tell users by comparing daemons, or a daemon with its next start; "skein passwd" adds one`,
    );
  if (entries.size === 0) warnings.push(`${file}: has no user; every check by it fails`);
  return { entries, secret: secret ?? OWN_SECRET };
}

/** Without excerpts: they may be secret. */
const placed = (path: string, problems: readonly ConfigProblem[]): readonly string[] =>
  problems.map(({ line, column, message }) => `${path}:${line}:${column ?? 1}: ${message}`);

/**
 * A file that is named must exist. Otherwise the default one is used, and without it no client is admitted.
 * @throws (rejects) when a file is there and cannot be read
 */
async function readSpreadAccessFile(
  file: string | null,
  name: string,
  warnings: string[],
  startFolder: string,
): Promise<{ readonly path: string; readonly text: string } | null> {
  if (file !== null) return { path: file, text: await readTextFile(file) };
  for (const folder of [startFolder, SYSTEM_FOLDER]) {
    const path = join(folder, name);
    const text = await readTextFile(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return null;
      throw error;
    });
    if (text !== null) return { path, text };
  }
  warnings.push(`${name}: found in none of ., ${SYSTEM_FOLDER}; every check by it fails`);
  return null;
}
