/** Parsers of command-line values. Each throws what commander reports with the option's name. */

import { InvalidArgumentError } from 'commander';
import { checkGroupName, checkTarget } from '../client/check-names.ts';
import type { Service } from '../client/index.ts';
import type { OptionKey } from '../engine/config/configuration-options.ts';
import { OPTION_KINDS, type ValueKind } from '../engine/config/option-catalogue.ts';

export const SERVICES: readonly Service[] = ['unreliable', 'reliable', 'fifo', 'causal', 'agreed', 'safe'];
const BYTES_OF_SUFFIX: Readonly<Record<string, number>> = { '': 1, K: 1024, M: 1024 ** 2 };
const MS_OF_UNIT: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** The longest time a Node timer takes. */
const MAX_DURATION_MS = 2 ** 31 - 1;

export function integer(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= min && value <= max)) throw new InvalidArgumentError(`It must be an integer from ${min} to ${max}.`);
    return value;
  };
}

/** An int16, as the protocol carries it. */
export const messageType = integer(-32_768, 32_767);

export function byteCount(min: number, max: number): (text: string) => number {
  return (text) => {
    const match = /^(\d{1,12})([KM]?)$/i.exec(text);
    const value = match === null ? Number.NaN : Number(match[1]) * BYTES_OF_SUFFIX[match[2]!.toUpperCase()]!;
    if (!(value >= min && value <= max))
      throw new InvalidArgumentError(`It must be a number of bytes from ${min} to ${max}, also as 4K.`);
    return value;
  };
}

/** Milliseconds of `10` (seconds), `1.5s`, `500ms`, `2m` or `1h`. */
export function duration(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text);
  const value = match === null ? Number.NaN : Number(match[1]) * MS_OF_UNIT[match[2] ?? 's']!;
  if (!(value >= 1 && value <= MAX_DURATION_MS))
    throw new InvalidArgumentError(
      `It must be a time such as 10, 1.5s, 500ms or 2m, from 1ms to ${MAX_DURATION_MS}ms.`,
    );
  return value;
}

const checked =
  (check: (name: string) => void) =>
  (name: string, earlier: readonly string[] = []): readonly string[] => {
    try {
      check(name);
    } catch (error) {
      throw new InvalidArgumentError(error instanceof Error ? error.message : String(error));
    }
    return [...earlier, name];
  };

/** A group that can be joined. An option given twice is refused. */
export function groupName(name: string, earlier?: string): string {
  if (earlier !== undefined) throw new InvalidArgumentError(`It is given twice, and ${earlier} is the first.`);
  groupNames(name);
  return name;
}

/** Groups that can be joined; each call adds one. */
export const groupNames = checked(checkGroupName);

/** Groups or private names; each call adds one. */
export const targetNames = checked(checkTarget);

/** Options of these kinds stay text, as in a file: `unixSocketMode=660` is octal, and `daemonUser=1000` is a name. */
const TEXT_KINDS: ReadonlySet<ValueKind | undefined> = new Set(['text', 'optional-text', 'keyword']);

/**
 * Adds one `name=value` to the options of the daemon. Text becomes a number or a boolean unless the option is text, `none` becomes null,
 * and `debugFlags=[PRINT,EXIT]` becomes a list. The daemon's schema checks names and values.
 */
export function daemonOption(
  text: string,
  earlier: Readonly<Record<string, unknown>> = {},
): Readonly<Record<string, unknown>> {
  const equals = text.indexOf('=');
  if (equals < 1) throw new InvalidArgumentError('It must be name=value, such as maxSessions=100.');
  const name = text.slice(0, equals).trim();
  return { ...earlier, [name]: optionValue(name, text.slice(equals + 1).trim()) };
}

function optionValue(name: string, text: string): unknown {
  if (text.startsWith('[') && text.endsWith(']'))
    return text
      .slice(1, -1)
      .split(',')
      .map((word) => word.trim())
      .filter((word) => word !== '');
  if (text === 'none') return null;
  if (Object.hasOwn(OPTION_KINDS, name) && TEXT_KINDS.has(OPTION_KINDS[name as OptionKey])) return text;
  if (/^-?(0|[1-9]\d{0,14})(\.\d+)?$/.test(text)) return Number(text);
  if (text === 'true' || text === 'yes') return true;
  if (text === 'false' || text === 'no') return false;
  return text;
}
