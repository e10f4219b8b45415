/** Growing writer and checked reader for the body of the state exchange. Little-endian; not for hot paths. */

/** The bytes do not say what they should; the message names the field. */
export class MalformedTableError extends Error {
  override readonly name = 'MalformedTableError';
}

const UINT32 = 0x1_0000_0000;

export class ByteWriter {
  private bytes = new Uint8Array(1 << 12);
  private view = new DataView(this.bytes.buffer);
  private length = 0;

  /** What was written, valid until the next write. */
  written(): Uint8Array {
    return this.bytes.subarray(0, this.length);
  }

  u8(value: number): void {
    const at = this.advance(1);
    this.bytes[at] = value;
  }

  u16(value: number): void {
    const at = this.advance(2);
    this.view.setUint16(at, value, true);
  }

  /** Of a signed or unsigned 32-bit number. */
  u32(value: number): void {
    const at = this.advance(4);
    this.view.setUint32(at, value, true);
  }

  u48(value: number): void {
    this.u32(value % UINT32);
    this.u16(Math.floor(value / UINT32));
  }

  /** Seven bits to a byte, least significant first; below 2^28. */
  varint(value: number): void {
    let rest = value;
    while (rest > 0x7f) {
      this.u8((rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    this.u8(rest);
  }

  /** Latin-1, at most 255 bytes, behind its length. */
  text(value: string): void {
    this.u8(value.length);
    const at = this.advance(value.length);
    for (let i = 0; i < value.length; i++) this.bytes[at + i] = value.charCodeAt(i);
  }

  private advance(lengthBytes: number): number {
    const at = this.length;
    this.length += lengthBytes;
    if (this.length > this.bytes.length) {
      const larger = new Uint8Array(this.length * 2);
      larger.set(this.bytes);
      this.bytes = larger;
      this.view = new DataView(larger.buffer);
    }
    return at;
  }
}

export class ByteReader {
  private readonly bytes: Uint8Array;
  private readonly view: DataView;
  private position = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get isAtEnd(): boolean {
    return this.position === this.bytes.length;
  }

  u8(): number {
    return this.bytes[this.take(1)]!;
  }

  u16(): number {
    return this.view.getUint16(this.take(2), true);
  }

  u32(): number {
    return this.view.getUint32(this.take(4), true);
  }

  i32(): number {
    return this.view.getInt32(this.take(4), true);
  }

  u48(): number {
    const low = this.u32();
    return this.u16() * UINT32 + low;
  }

  varint(): number {
    let value = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.u8();
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw new MalformedTableError(`number before byte ${this.position} has more than 28 bits`);
  }

  text(): string {
    const length = this.u8();
    const at = this.take(length);
    let value = '';
    for (let i = at; i < at + length; i++) value += String.fromCharCode(this.bytes[i]!);
    return value;
  }

  /** Refuses a count of items that cannot be there, before anything is made for them. */
  expect(count: number, itemBytes: number): void {
    const left = this.bytes.length - this.position;
    if (count * itemBytes > left)
      throw new MalformedTableError(`${count} items of at least ${itemBytes} bytes each in the ${left} that are left`);
  }

  private take(lengthBytes: number): number {
    const at = this.position;
    if (at + lengthBytes > this.bytes.length)
      throw new MalformedTableError(`length ${lengthBytes} at ${at} reaches past the end at ${this.bytes.length}`);
    this.position = at + lengthBytes;
    return at;
  }
}
