/** Answers the delivery workers' requests for private names. Names are given out at once: they are this daemon's own business and need no order. */
import { SpscQueueConsumer } from '../../engine/buffers/spsc-queue.ts';
import { readName } from '../../engine/wire/frame.ts';
import { sessionHandle } from '../../engine/wire/ids.ts';
import { RECORD_KIND_OFFSET, RECORD_SESSION_OFFSET } from '../../engine/wire/layout/record-header.ts';
import { REGISTER_RECORD_NAME_OFFSET, REGISTER_RECORD_TAKES_OFFSET } from '../../engine/wire/layout/register-record.ts';
import { RecordKind } from '../../engine/wire/record.ts';
import type { OrderedRecords } from './ordered-records.ts';

export class NameDesk {
  readonly #requests: readonly SpscQueueConsumer[];
  readonly #records: OrderedRecords;

  /** @param requests one buffer for each delivery worker */
  constructor(requests: readonly SharedArrayBuffer[], records: OrderedRecords) {
    this.#requests = requests.map((memory) => new SpscQueueConsumer(memory));
    this.#records = records;
  }

  hasInput(): boolean {
    for (const ring of this.#requests) if (ring.usedBytes() > 0) return true;
    return false;
  }

  /** Answers all there is room for in the ordered log. @returns requests answered */
  doWork(): number {
    let requests = 0;
    for (const ring of this.#requests) {
      while (this.#records.output.hasRoom() && ring.peek(0)) {
        const session = sessionHandle(ring.view.getUint32(ring.offset + RECORD_SESSION_OFFSET, true));
        if (ring.view.getUint8(ring.offset + RECORD_KIND_OFFSET) === RecordKind.Register) {
          const name = readName(ring.bytes, ring.offset + REGISTER_RECORD_NAME_OFFSET);
          const takes = ring.bytes[ring.offset + REGISTER_RECORD_TAKES_OFFSET] === 1;
          this.#records.register(session, name, takes);
        } else this.#records.registry.release(session);
        ring.release(ring.lengthBytes);
        requests++;
      }
    }
    return requests;
  }
}
