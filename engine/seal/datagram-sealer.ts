/**
 * The trailer of a datagram between daemons (ring-protocol.md, 8.3): the seam where integrity or authenticated
 * encryption is added. crc-sealer.ts has the default, a checksum against corruption; keyed-sealer.ts the keyed one.
 */
import type { SealedIncarnations } from './sealed-incarnations.ts';

export interface DatagramSealer {
  /** Bytes that `seal` adds. */
  readonly trailerBytes: number;
  /** Null: datagrams are opened whatever incarnation sent them. */
  readonly incarnations: SealedIncarnations | null;
  /**
   * Protects `bytes[offset, offset + lengthBytes)` in place and writes the trailer behind it.
   * @param to node index of the only receiver, or `FOR_ANY`
   * @returns length with the trailer
   */
  seal(bytes: Uint8Array, offset: number, lengthBytes: number, to: number): number;
  /**
   * Checks, and decrypts in place, what `seal` made.
   * @returns length without the trailer; below 0 when the datagram is not believed: with `incarnations`, the negative of a `SealRefusal`
   */
  open(bytes: Uint8Array, offset: number, lengthBytes: number): number;
}
