/** What the connections of a worker read into, one after the other: the bytes of one read are handled before the next. */

export interface ReadBuffer {
  readonly bytes: Buffer;
  readonly view: DataView;
}

export class ReadBuffers {
  /** Of sessions. */
  readonly long: ReadBuffer;
  /** Of unauthenticated connections: no more than one read of each is kept. */
  readonly short: ReadBuffer;

  constructor(longBytes: number, shortBytes: number) {
    this.long = readBuffer(longBytes);
    this.short = readBuffer(shortBytes);
  }
}

function readBuffer(lengthBytes: number): ReadBuffer {
  const bytes = Buffer.allocUnsafeSlow(lengthBytes);
  return { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, lengthBytes) };
}
