/**
 * Data of a message. Text is sent as UTF-8, a lone surrogate as U+FFFD; any view of bytes and any buffer as its bytes.
 * Everything here looks at internal slots: a Proxy of an array of bytes is not one, and no field that lies about a length is believed.
 */
import { types } from 'node:util';
import { MAX_CLIENT_BODY_LENGTH } from '../../engine/wire/limits.ts';
import { illegal, readElements } from '../check.ts';
import { SkeinError } from '../errors.ts';

/** Bytes, in any of the forms JavaScript has for them, or text to be sent as UTF-8. */
export type Data = string | NodeJS.ArrayBufferView | ArrayBuffer | SharedArrayBuffer;

type Getter = (this: unknown) => unknown;

/** The getter of an intrinsic prototype as a function of its object; engines inline it. */
function intrinsic<Value>(prototype: object, name: string | symbol): (object: unknown) => Value {
  const getter = Object.getOwnPropertyDescriptor(prototype, name)!.get as Getter;
  return Function.prototype.call.bind(getter) as (object: unknown) => Value;
}

const typedArray = Object.getPrototypeOf(Uint8Array.prototype) as object;
/** `Uint8Array` for one and for a Buffer, undefined for what is no typed array; never throws. */
const kindOf = intrinsic<string | undefined>(typedArray, Symbol.toStringTag);
const bufferOf = intrinsic<ArrayBuffer>(typedArray, 'buffer');
const offsetOf = intrinsic<number>(typedArray, 'byteOffset');
/** Length of an array of bytes, whatever fields it was given besides. */
export const lengthOf: (bytes: Uint8Array) => number = intrinsic<number>(typedArray, 'byteLength');
const viewBufferOf = intrinsic<ArrayBuffer>(DataView.prototype, 'buffer');
const viewOffsetOf = intrinsic<number>(DataView.prototype, 'byteOffset');
const viewLengthOf = intrinsic<number>(DataView.prototype, 'byteLength');

export const isBytes = (data: unknown): data is Uint8Array => kindOf(data) === 'Uint8Array';

const LIMIT = 'a string, a view of bytes (Uint8Array, Buffer, DataView …), an ArrayBuffer, or an array of these';
/** Pieces of one message: as many as there can be bytes and separators. */
const MAX_PIECES = 2 * MAX_CLIENT_BODY_LENGTH;

/** The bytes of one piece of data that is no string. */
export function bytesOf(field: string, data: unknown): Uint8Array {
  if (kindOf(data) === undefined) {
    if (types.isDataView(data)) return viewBytes(field, data);
    if (types.isAnyArrayBuffer(data)) return viewOfAll(field, data);
    throw illegal(field, data, LIMIT);
  }
  const length = lengthOf(data as Uint8Array);
  if (length === 0) checkAttached(field, data as Uint8Array);
  return isBytes(data) ? data : new Uint8Array(bufferOf(data), offsetOf(data), length);
}

/**
 * The same memory as a plain view with a length of its own, for data that is sent from where it is: a subclass, or a view that
 * follows a growing buffer, may change what it says of itself until then.
 */
export const plainView = (bytes: Uint8Array): Uint8Array =>
  Buffer.from(bufferOf(bytes), offsetOf(bytes), lengthOf(bytes));

/** The pieces of a message, checked and each read once. */
export function piecesOf(data: Data | readonly Data[]): readonly Uint8Array[] {
  if (!isPieces(data)) return [pieceOf('data', data)];
  const pieces = readElements('data', data, MAX_PIECES);
  return pieces.map((piece, i) => pieceOf(`data[${i}]`, piece));
}

const pieceOf = (field: string, piece: unknown): Uint8Array =>
  typeof piece === 'string' ? Buffer.from(piece) : bytesOf(field, piece);

/** A revoked Proxy throws when asked whether it is an array. */
export function isPieces(data: unknown): data is readonly Data[] {
  try {
    return Array.isArray(data);
  } catch {
    return false;
  }
}

/** An array without bytes may have lost them: its buffer was transferred, or shrank. */
export function checkAttached(field: string, bytes: NodeJS.TypedArray): void {
  try {
    Uint8Array.prototype.keys.call(bytes as Uint8Array);
  } catch {
    throw detached(field);
  }
}

function viewBytes(field: string, view: DataView): Uint8Array {
  try {
    return new Uint8Array(viewBufferOf(view), viewOffsetOf(view), viewLengthOf(view));
  } catch {
    throw detached(field);
  }
}

function viewOfAll(field: string, buffer: ArrayBuffer | SharedArrayBuffer): Uint8Array {
  try {
    return new Uint8Array(buffer);
  } catch {
    throw detached(field);
  }
}

const detached = (field: string): SkeinError =>
  new SkeinError(
    'ILLEGAL_PARAM',
    `${field}: its ArrayBuffer was transferred or has become too short; the bytes are gone`,
  );
