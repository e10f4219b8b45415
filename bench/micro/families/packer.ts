/** Packing records of the send queue into packets; per packet. */
import { PacketFiller } from '../../../engine/ring/packing.ts';
import { makeRuns } from '../frames.ts';
import type { MicroFamily, MicroRow } from '../micro-row.ts';
import { EndlessSource } from '../record-sources.ts';

const PACKETS = 64;

function row(title: string, records: Uint8Array, capacityBytes: number): MicroRow {
  const filler = new PacketFiller(new EndlessSource(records));
  const out = new Uint8Array(capacityBytes);
  return {
    kind: 'loop',
    title,
    operations: PACKETS,
    bytesPerOperation: capacityBytes,
    run() {
      for (let i = 0; i < PACKETS; i++) {
        if (filler.fillPacket(out, 0, capacityBytes) === 0) throw new Error('an empty packet');
      }
    },
  };
}

/** Room for records in a datagram of the given size. */
const LAN = 1352;
const LOOPBACK = 64_952;

export const packerFamily: MicroFamily = {
  id: 'packer',
  title: 'packer, per packet filled',
  prepare: () => ({
    rows: [
      row('single frames of 256 B into 1,400 B', makeRuns(64, 1, 256), LAN),
      row('runs of 32 frames of 256 B into 1,400 B', makeRuns(8, 32, 256), LAN),
      row('frames of 8 KB cut into 1,400 B', makeRuns(8, 1, 8192), LAN),
      row('runs of 32 frames of 256 B into 65,000 B', makeRuns(64, 32, 256), LOOPBACK),
    ],
  }),
};
