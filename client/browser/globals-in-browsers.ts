/** Stands in for globals of Node where the library is bundled for browsers: the parts of them that the library uses. */

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const MAX_ARGUMENTS = 8192;

type Source = string | ArrayBufferLike | ArrayLike<number> | Iterable<number>;

function latin1Of(bytes: Uint8Array): string {
  let text = '';
  for (let from = 0; from < bytes.length; from += MAX_ARGUMENTS)
    text += String.fromCharCode(...bytes.subarray(from, from + MAX_ARGUMENTS));
  return text;
}

function bytesOfText(text: string, encoding: string): Uint8Array {
  return encoding === 'latin1' ? Uint8Array.from(text, (char) => char.charCodeAt(0) & 0xff) : encoder.encode(text);
}

/** An array of bytes with what Node's `Buffer` adds to it, as far as it is used. */
class Bytes extends Uint8Array {
  static alloc(lengthBytes: number): Bytes {
    return new Bytes(lengthBytes);
  }

  static allocUnsafe(lengthBytes: number): Bytes {
    return new Bytes(lengthBytes);
  }

  static allocUnsafeSlow(lengthBytes: number): Bytes {
    return new Bytes(lengthBytes);
  }

  static byteLength(text: string): number {
    return encoder.encode(text).length;
  }

  /** As of Node: of a buffer a view, of anything else a copy. */
  static override from(source: Source, second?: unknown, lengthBytes?: number): Bytes {
    if (typeof source === 'string') return new Bytes(bytesOfText(source, String(second ?? 'utf8')));
    if (source instanceof ArrayBuffer || (!ArrayBuffer.isView(source) && 'byteLength' in (source as object)))
      return new Bytes(source as ArrayBuffer, (second as number | undefined) ?? 0, lengthBytes);
    return new Bytes(source as ArrayLike<number>);
  }

  copy(target: Uint8Array, targetStart = 0, start = 0, end = this.length): number {
    const part = this.subarray(start, Math.min(end, start + target.length - targetStart));
    target.set(part, targetStart);
    return part.length;
  }

  write(text: string, offset = 0, second?: number | string, encoding = 'utf8'): number {
    const bytes = bytesOfText(text, typeof second === 'string' ? second : encoding);
    const length = Math.min(bytes.length, typeof second === 'number' ? second : this.length - offset);
    this.set(bytes.subarray(0, length), offset);
    return length;
  }

  override toString(encoding = 'utf8', start = 0, end = this.length): string {
    const part = this.subarray(start, end);
    return encoding === 'latin1' ? latin1Of(part) : decoder.decode(part);
  }
}

export { Bytes as Buffer };

export const process = { nextTick: (work: (...args: unknown[]) => void): void => queueMicrotask(work) };

export const setImmediate = (work: () => void): unknown => setTimeout(work, 0);

/** Not in every browser; the value is that of the other polyfills. */
if (Symbol.asyncDispose === undefined)
  Object.defineProperty(Symbol, 'asyncDispose', { value: Symbol.for('Symbol.asyncDispose') });
