/** Which user and group the daemon becomes, and how (`DaemonUser`, `DaemonGroup`, `RuntimeDir`). */
import { userInfo } from 'node:os';
import { isMainThread } from 'node:worker_threads';
import { ConfigError } from '../engine/config/config-error.ts';
import type { ConfigurationOptions } from '../engine/config/configuration-options.ts';
import { fileReason } from './file-reason.ts';

type IdentityOptions = Pick<ConfigurationOptions, 'daemonUser' | 'daemonGroup' | 'runtimeDir'>;

export interface Identity {
  readonly uid: number;
  readonly gid: number;
  /** For the user's supplementary groups; null: the user has no name, and gets none. */
  readonly userName: string | null;
}

/** These exist wherever there are users; Windows has none. */
interface PosixProcess {
  geteuid(): number;
  getegid(): number;
  getuid(): number;
  getgid(): number;
  seteuid(id: number | string): void;
  setegid(id: number | string): void;
  setuid(id: number): void;
  setgid(id: number): void;
  setgroups(groups: readonly number[]): void;
  initgroups(user: string, group: number): void;
}

const posix = process as unknown as PosixProcess;

const isRoot = (): boolean => process.geteuid?.() === 0;

/**
 * The user that the daemon becomes once its sockets are open; null: it keeps its user.
 * @throws ConfigError when there is no such user or group, or this thread cannot change it
 */
export function resolveIdentity({ daemonUser, daemonGroup }: IdentityOptions): Identity | null {
  if ((daemonUser === null && daemonGroup === null) || !isRoot()) return null;
  if (!isMainThread)
    throw new ConfigError(
      [
        {
          message: 'daemonUser and daemonGroup need the main thread: a worker thread cannot change who the process is',
        },
      ],
      null,
    );
  const user = daemonUser === null ? { uid: 0, gid: posix.getegid(), name: null } : lookUpUser(daemonUser);
  const gid = daemonGroup === null ? user.gid : lookUpGroup(daemonGroup);
  if (gid === null) {
    const message = `DaemonUser is ${daemonUser}, a number that is no user of this machine and so has no group: set DaemonGroup`;
    throw new ConfigError([{ message, field: 'daemonGroup' }], null);
  }
  return { uid: user.uid, gid, userName: user.name };
}

export const identityText = ({ uid, gid, userName }: Identity): string => `user ${userName ?? uid}, group ${gid}`;

/** What of the options has no effect here, each worth a line in the log. */
export function identityWarnings(options: IdentityOptions, hasFile: boolean): readonly string[] {
  const { daemonUser, daemonGroup } = options;
  if (isRoot())
    return daemonUser === null && hasFile ? ['THE DAEMON RUNS AS ROOT: set DaemonUser to another user'] : [];
  const given = [
    daemonUser === null ? '' : `DaemonUser ${daemonUser}`,
    daemonGroup === null ? '' : `DaemonGroup ${daemonGroup}`,
  ];
  const named = given.filter((text) => text !== '').join(' and ');
  if (named === '' || (daemonGroup === null && isOwnUser(daemonUser))) return [];
  return [`${named}: no effect, because the daemon was not started as root; it stays ${ownName()}`];
}

function isOwnUser(daemonUser: string | null): boolean {
  return daemonUser === ownName() || daemonUser === String(process.geteuid?.());
}

/** Name of the user that the process is. */
export function ownName(): string {
  try {
    return userInfo().username;
  } catch {
    return `user ${process.geteuid?.()}`;
  }
}

/**
 * Becomes `identity` for good: all threads of the process, its groups as well.
 * @throws the error of the system, or an Error when root could be had back
 */
export function becomeIdentity({ uid, gid, userName }: Identity): void {
  // Groups first: only root may change them.
  if (userName === null) posix.setgroups([gid]);
  else posix.initgroups(userName, gid);
  posix.setgid(gid);
  posix.setuid(uid);
  const is = [posix.getuid(), posix.geteuid(), posix.getgid(), posix.getegid()].join(' ');
  if (is !== [uid, uid, gid, gid].join(' '))
    throw new Error(`the process is ${is} instead of user ${uid}, group ${gid}`);
  if (uid !== 0 && canBecomeRoot()) throw new Error(`user ${uid} could become root again`);
}

function canBecomeRoot(): boolean {
  try {
    posix.setuid(0);
    return true;
  } catch {
    return false;
  }
}

/**
 * The system's own look-up, whatever its source of users: Node reports the effective user only, so the process is this user
 * for a moment.
 */
function lookUpUser(wanted: string): {
  readonly uid: number;
  readonly gid: number | null;
  readonly name: string | null;
} {
  try {
    posix.seteuid(idOf(wanted));
  } catch (error) {
    throw refused(error, 'DaemonUser', 'daemonUser', wanted, 'a user of this machine');
  }
  try {
    const uid = posix.geteuid();
    const { gid, username } = userInfo();
    return { uid, gid, name: username };
  } catch {
    return { uid: posix.geteuid(), gid: null, name: null };
  } finally {
    posix.seteuid(0);
  }
}

function lookUpGroup(wanted: string): number {
  const before = posix.getegid();
  try {
    posix.setegid(idOf(wanted));
  } catch (error) {
    throw refused(error, 'DaemonGroup', 'daemonGroup', wanted, 'a group of this machine');
  }
  const gid = posix.getegid();
  posix.setegid(before);
  return gid;
}

const idOf = (text: string): number | string => (/^\d{1,10}$/.test(text) ? Number(text) : text);

/** Distinguishes unknown names from a root that may not change its user, as in some containers. */
function refused(error: unknown, name: string, field: string, value: string, limit: string): ConfigError {
  const { code, message } = error as NodeJS.ErrnoException;
  const text =
    code === 'ERR_UNKNOWN_CREDENTIAL'
      ? `${name} is "${value}"; it must be ${limit}`
      : `${name} is "${value}", and the daemon cannot become that: ${message}`;
  return new ConfigError([{ message: text, field, value, limit }], null);
}

/**
 * Makes `RuntimeDir` the working folder. Spread confines itself to it (chroot), which a Node program cannot.
 * @throws ConfigError as root, when it cannot be entered; others get a warning, because Spread does not use it then
 * @returns what is worth a line in the log each
 */
export function enterRuntimeDir({ runtimeDir }: IdentityOptions): readonly string[] {
  if (runtimeDir === null) return [];
  try {
    process.chdir(runtimeDir);
  } catch (error) {
    const message = `RuntimeDir ${runtimeDir}: cannot be the working folder: ${fileReason(error)}`;
    if (isRoot() && isMainThread) throw new ConfigError([{ message, field: 'runtimeDir', value: runtimeDir }], null);
    return [message];
  }
  return [`RuntimeDir ${runtimeDir} is the working folder, but the daemon is not confined to it: Node has no chroot`];
}
