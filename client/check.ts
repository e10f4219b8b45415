/**
 * Checks of what programs pass: plain JavaScript can pass anything, also objects whose fields throw or change between two looks. What
 * is checked here is read once, and the copy is used. No check runs code of the value's own, but to read a field.
 */
import { types } from 'node:util';
import { suggestion } from '../engine/config/did-you-mean.ts';
import type { ResultCodeName } from '../engine/wire/result-codes.ts';
import { SkeinError } from './errors.ts';

const MAX_SHOWN_CHARS = 60;

/** A value for a message: short, and made without running any code of the value's own. */
export function show(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value.length > MAX_SHOWN_CHARS ? `${value.slice(0, MAX_SHOWN_CHARS)}…` : value);
    case 'number':
    case 'boolean':
    case 'undefined':
      return String(value);
    case 'object':
      return value === null ? 'null' : showObject(value);
    default:
      return `(a ${typeof value})`;
  }
}

function showObject(value: object): string {
  if (types.isProxy(value)) return '(a Proxy)';
  if (types.isPromise(value)) return '(a promise; await it first)';
  if (types.isAnyArrayBuffer(value)) return '(an ArrayBuffer)';
  if (ArrayBuffer.isView(value)) return '(a view of bytes)';
  return Array.isArray(value) ? '(an array)' : '(an object)';
}

/** `field value: must be limit`. */
export const illegal = (
  field: string,
  value: unknown,
  limit: string,
  code: ResultCodeName = 'ILLEGAL_PARAM',
): SkeinError => new SkeinError(code, `${field} ${show(value)}: must be ${limit}`);

/** Calls `read`, which looks at fields of a value; what a getter or a Proxy throws becomes the cause of an ILLEGAL_PARAM. */
export function reading<T>(what: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw asUnreadable(what, error);
  }
}

export const asUnreadable = (what: string, error: unknown): SkeinError =>
  error instanceof SkeinError
    ? error
    : new SkeinError('ILLEGAL_PARAM', `${what}: cannot be read; it threw ${showThrown(error)}`, { cause: error });

const showThrown = (error: unknown): string => (types.isNativeError(error) ? 'an error, see cause' : show(error));

/** Throws ILLEGAL_PARAM unless `value` is an object whose enumerable fields all have one of these names. */
export function checkNames(what: string, value: unknown, names: readonly string[]): asserts value is object {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw illegal(what, value, `an object with any of ${names.join(', ')}`);
  for (const name in value) {
    if (names.includes(name)) continue;
    const hint = suggestion(name.slice(0, MAX_SHOWN_CHARS), names);
    const known = hint === '' ? `; known are ${names.join(', ')}` : hint;
    throw new SkeinError('ILLEGAL_PARAM', `${what}: unknown option ${show(name)}${known}`);
  }
}

/**
 * A copy of an object's fields, each read once; fields that are undefined are left out, as is an object that is
 * undefined. Throws as `checkNames`.
 */
export function readFields<Name extends string>(
  what: string,
  value: unknown,
  names: readonly Name[],
): Readonly<Partial<Record<Name, unknown>>> {
  const fields: Partial<Record<Name, unknown>> = {};
  if (value === undefined) return fields;
  return reading(what, () => {
    checkNames(what, value, names);
    for (const name of names) {
      const field = (value as Readonly<Partial<Record<Name, unknown>>>)[name];
      if (field !== undefined) fields[name] = field;
    }
    return fields;
  });
}

/**
 * Throws ILLEGAL_PARAM for a value that is one of the fields itself: `connect('4803@localhost')`.
 * @param fields name of the field that a value of this type is meant for
 */
export function checkWrapped(
  what: string,
  call: string,
  value: unknown,
  fields: { readonly string?: string; readonly number?: string },
): void {
  const field = typeof value === 'string' ? fields.string : typeof value === 'number' ? fields.number : undefined;
  if (field !== undefined)
    throw new SkeinError(
      'ILLEGAL_PARAM',
      `${what} ${show(value)}: must be an object; write ${call}({ ${field}: ${show(value)} })`,
    );
}

/** A copy of an array's elements, each read once. The caller has seen that it is one. */
export function readElements(field: string, array: readonly unknown[], most: number): unknown[] {
  return reading(field, () => {
    const count = array.length;
    if (!Number.isInteger(count) || count < 0 || count > most)
      throw new SkeinError('ILLEGAL_PARAM', `${field}: ${show(count)} elements, at most ${most}`);
    const elements: unknown[] = [];
    for (let i = 0; i < count; i++) elements.push(array[i]);
    return elements;
  });
}

/** A copy of an array of strings. @param limit what the array must be, for the error */
export function readStrings(
  field: string,
  value: unknown,
  limit: string,
  most: number,
  code: ResultCodeName,
): readonly string[] {
  const list = reading(field, () => (Array.isArray(value) ? readElements(field, value, most) : null));
  if (list === null) throw illegal(field, value, limit, code);
  return list.map((element, i) => checkString(`${field}[${i}]`, element, code));
}

export function checkInteger(field: string, value: unknown, min: number, max: number): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max)
    throw illegal(field, value, `an integer from ${min} to ${max}`);
  return value;
}

export function checkBoolean(field: string, value: unknown): boolean {
  if (typeof value !== 'boolean') throw illegal(field, value, 'true or false');
  return value;
}

export function checkString(field: string, value: unknown, code?: ResultCodeName): string {
  if (typeof value !== 'string') throw illegal(field, value, 'a string', code);
  return value;
}

export function checkFunction(field: string, value: unknown): void {
  if (typeof value !== 'function') throw illegal(field, value, 'a function');
}

/** A method was taken off its object, as in `const { multicast } = session`. */
export const wrongThis = (method: string, type: string): SkeinError =>
  new SkeinError(
    'ILLEGAL_SESSION',
    `${method}: called without its ${type}; call it as ${type}.${method}(…), or pass () => ${type}.${method}(…)`,
  );
