/**
 * Bytes copied out of the ordered log for sessions that fell behind: one copy of what several of them wait for, however many they
 * are. One store for each delivery worker.
 *
 *     chunk   memory of one size, given back to the system at once when nothing in it is used any more
 *     block   bytes in a chunk that a set of sessions waits for; counted once for each session that still does
 *
 * A chunk of which little is still used is emptied: its blocks move to another one. Blocks that a socket is writing from stay.
 *
 * Chunks are resizable ArrayBuffers: those give their pages back when they are cut to 0. An ordinary one would keep them until the
 * garbage collector runs, which an idle daemon may not do for hours.
 */

interface ResizableArrayBuffer extends ArrayBuffer {
  resize(lengthBytes: number): void;
}
type ResizableConstructor = new (
  lengthBytes: number,
  options: { readonly maxByteLength: number },
) => ResizableArrayBuffer;

/** Unused chunks that are kept for the next session that falls behind. */
const SPARE_CHUNKS = 2;
/** Chunks are emptied when memory exceeds twice the used bytes by this much. */
const SLACK_BYTES = 8 * 1024 * 1024;

class Chunk {
  readonly bytes: Buffer;
  readonly blocks = new Set<Block>();
  usedBytes = 0;
  liveBytes = 0;
  /** Writes of sockets that read from it. */
  writes = 0;
  readonly #memory: ResizableArrayBuffer;

  constructor(lengthBytes: number) {
    this.#memory = new (ArrayBuffer as unknown as ResizableConstructor)(lengthBytes, { maxByteLength: lengthBytes });
    this.bytes = Buffer.from(this.#memory, 0, lengthBytes);
  }

  free(): void {
    this.#memory.resize(0);
  }
}

export class Block {
  readonly lengthBytes: number;
  chunk: Chunk;
  offset: number;
  /** Pieces of sessions' queues that lie in it. */
  uses = 0;

  constructor(chunk: Chunk, offset: number, lengthBytes: number) {
    this.chunk = chunk;
    this.offset = offset;
    this.lengthBytes = lengthBytes;
  }

  /** Valid until the block moves or is let go; `beginWrite` keeps it where it is. */
  view(start: number, end: number): Buffer {
    return this.chunk.bytes.subarray(this.offset + start, this.offset + end);
  }
}

export class KeptBytes {
  readonly chunkBytes: number;
  /** Of chunks: memory in use, and the part of it that some session still waits for. */
  chunkBytesUsed = 0;
  liveBytes = 0;
  /** What single sessions have for themselves: owned frames, joined writes, lists. Kept by them. */
  privateBytes = 0;
  /** Writes of ended sessions, which free their memory as soon as the system is done with them. */
  closingBytes = 0;
  readonly #chunks = new Set<Chunk>();
  readonly #spare: Chunk[] = [];
  #open: Chunk | null = null;

  /** @param chunkBytes no block is longer */
  constructor(chunkBytes: number) {
    this.chunkBytes = chunkBytes;
  }

  /** All memory that waits for slow clients. */
  get heldBytes(): number {
    return this.chunkBytesUsed + this.privateBytes;
  }

  /** A block that nothing uses yet: the caller counts its uses up before it calls anything else. */
  allocate(lengthBytes: number): Block {
    let chunk = this.#open;
    if (chunk === null || chunk.usedBytes + lengthBytes > this.chunkBytes) {
      chunk = this.#spare.pop() ?? new Chunk(this.chunkBytes);
      this.#open = chunk;
      this.#chunks.add(chunk);
    }
    const block = new Block(chunk, chunk.usedBytes, lengthBytes);
    this.#occupy(chunk, block);
    return block;
  }

  beginWrite(block: Block): void {
    block.chunk.writes++;
  }

  endWrite(block: Block): void {
    block.chunk.writes--;
  }

  /** One use of `block` is over. */
  release(block: Block): void {
    if (--block.uses > 0) return;
    const { chunk } = block;
    chunk.blocks.delete(block);
    chunk.liveBytes -= block.lengthBytes;
    this.liveBytes -= block.lengthBytes;
    if (chunk.liveBytes === 0) this.#free(chunk);
  }

  /** Empties chunks of which less than half is used, when there is much of that. */
  compact(): void {
    if (this.chunkBytesUsed > 2 * this.liveBytes + SLACK_BYTES) this.#emptyChunks(1 / 2);
  }

  /** Memory is short: leaves little unused. */
  squeeze(): void {
    if (this.chunkBytesUsed > this.liveBytes) this.#emptyChunks(7 / 8);
  }

  /** Empties chunks of which less than `share` is used. */
  #emptyChunks(share: number): void {
    for (const chunk of [...this.#chunks]) {
      if (chunk === this.#open || chunk.writes > 0 || chunk.liveBytes > chunk.usedBytes * share) continue;
      for (const block of [...chunk.blocks]) this.#move(block);
      this.#free(chunk);
    }
  }

  #move(block: Block): void {
    const from = block.chunk;
    const moved = this.allocate(block.lengthBytes);
    from.bytes.copy(moved.chunk.bytes, moved.offset, block.offset, block.offset + block.lengthBytes);
    moved.chunk.blocks.delete(moved);
    moved.chunk.blocks.add(block);
    block.chunk = moved.chunk;
    block.offset = moved.offset;
    from.blocks.delete(block);
    from.liveBytes -= block.lengthBytes;
    this.liveBytes -= block.lengthBytes;
  }

  #occupy(chunk: Chunk, block: Block): void {
    chunk.blocks.add(block);
    chunk.usedBytes += block.lengthBytes;
    chunk.liveBytes += block.lengthBytes;
    this.chunkBytesUsed += block.lengthBytes;
    this.liveBytes += block.lengthBytes;
  }

  #free(chunk: Chunk): void {
    this.chunkBytesUsed -= chunk.usedBytes;
    chunk.usedBytes = 0;
    if (chunk === this.#open) return;
    this.#chunks.delete(chunk);
    if (this.#spare.length < SPARE_CHUNKS) this.#spare.push(chunk);
    else chunk.free();
  }
}
