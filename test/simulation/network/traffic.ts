/** What daemons sent in a run, in datagrams; a multicast counts once. */
import { hopOf, isRetransmission, matchesType, packetType, sequenceOf } from './wire-view.ts';

export class Traffic {
  readonly dataAtMs: number[] = [];
  /** Data that was sent before. */
  readonly againAtMs: number[] = [];
  readonly tokenAtMs: number[] = [];
  joins = 0;
  bytes = 0;
  highestSequence = 0;
  highestHop = 0;

  count(nowMs: number, bytes: Uint8Array): void {
    const type = packetType(bytes);
    this.bytes += bytes.length;
    if (type === 'data') {
      this.dataAtMs.push(nowMs);
      this.highestSequence = Math.max(this.highestSequence, sequenceOf(bytes));
      if (isRetransmission(bytes)) this.againAtMs.push(nowMs);
    } else if (matchesType('token', type)) {
      this.tokenAtMs.push(nowMs);
      this.highestHop = Math.max(this.highestHop, hopOf(bytes));
    } else if (type === 'join') this.joins++;
  }
}
