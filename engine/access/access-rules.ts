/**
 * Who may do what (`AccessFile`), as plain data that travels to worker threads. Nothing is allowed but by a line; the order of lines has
 * no effect.
 */
import { PRIVATE_NAME_MARK } from '../wire/limits.ts';
import { type AddressRange, contains, parseAddress } from './address-range.ts';
import { matchesText } from './name-pattern.ts';

/** `join` and `send` are of groups, `private` is of private names. */
export const ACCESS_RIGHTS = ['join', 'send', 'private', 'admin'] as const;
export type AccessRight = (typeof ACCESS_RIGHTS)[number];

/** A line is for those to whom all of it applies; what is null applies to everybody. */
export interface Who {
  /** Patterns. */
  readonly user: string | null;
  readonly certificate: string | null;
  readonly address: AddressRange | null;
  /** Clients of the Unix socket only. */
  readonly isUnix: boolean;
}

export interface AccessLine {
  /** 1-based. */
  readonly line: number;
  /** As written. */
  readonly text: string;
  readonly who: Who;
  /** Patterns of targets: of groups, and for `private` of whole private names, `#alice#*`. */
  readonly grants: Readonly<Record<AccessRight, readonly string[]>>;
}

export interface AccessRules {
  readonly lines: readonly AccessLine[];
}

/** What is known of a client. */
export interface AccessSubject {
  /** That has proven it; null: it logged in without one. */
  readonly user: string | null;
  /** Common name of its certificate. */
  readonly certificate: string | null;
  /** IP address as Node gives it; null: it is none, or not known. */
  readonly address: string | null;
  readonly isUnix: boolean;
}

export interface AccessVerdict {
  readonly isAllowed: boolean;
  /** The first line that allows it, and its pattern that fits; null when it is refused. */
  readonly line: AccessLine | null;
  readonly pattern: string | null;
}

/** The lines that apply to a client. */
export function linesFor({ lines }: AccessRules, subject: AccessSubject): readonly AccessLine[] {
  const address = subject.address === null ? null : parseAddress(subject.address);
  return lines.filter(
    ({ who }) =>
      (who.user === null || (subject.user !== null && matchesText(who.user, subject.user))) &&
      (who.certificate === null ||
        (subject.certificate !== null && matchesText(who.certificate, subject.certificate))) &&
      (who.address === null || (address !== null && contains(who.address, address))) &&
      (!who.isUnix || subject.isUnix),
  );
}

/** @param target a group; for `private` a whole private name; for `admin` a group, or empty: the daemon itself */
export function verdict(rules: AccessRules, subject: AccessSubject, right: AccessRight, target: string): AccessVerdict {
  for (const line of linesFor(rules, subject)) {
    const pattern = line.grants[right].find((one) => matchesText(one, target));
    if (pattern !== undefined) return { isAllowed: true, line, pattern };
  }
  return { isAllowed: false, line: null, pattern: null };
}

/** Which right a message to `target` needs. */
export const rightOfTarget = (target: string): 'send' | 'private' =>
  target.charCodeAt(0) === PRIVATE_NAME_MARK ? 'private' : 'send';
