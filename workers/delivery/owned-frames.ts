/** Frames of the daemon's own (a reject, a notice) that wait for their turn among a session's ranges of the log. */
import type { KeptBytes } from './kept-bytes.ts';

export interface OwnedFrame {
  readonly bytes: Buffer;
  readonly frames: number;
}

export class OwnedFrames {
  readonly #store: KeptBytes;
  /** They stand among the ranges, oldest first. */
  #placed: Buffer[] = [];
  /** They wait until the frame that the last range ends in is whole. */
  #held: OwnedFrame[] = [];

  /** @param store counts their memory */
  constructor(store: KeptBytes) {
    this.#store = store;
  }

  get placedCount(): number {
    return this.#placed.length;
  }

  get heldCount(): number {
    return this.#held.length;
  }

  place(bytes: Buffer): void {
    this.#placed.push(bytes);
    this.#store.privateBytes += bytes.length;
  }

  /** The oldest that stands among the ranges. */
  takePlaced(): Buffer {
    const bytes = this.#placed.shift()!;
    this.#store.privateBytes -= bytes.length;
    return bytes;
  }

  hold(bytes: Buffer, frames: number): void {
    this.#held.push({ bytes, frames });
    this.#store.privateBytes += bytes.length;
  }

  takeHeld(): readonly OwnedFrame[] {
    const held = this.#held;
    this.#held = [];
    for (const { bytes } of held) this.#store.privateBytes -= bytes.length;
    return held;
  }

  clear(): void {
    this.takeHeld();
    while (this.#placed.length > 0) this.takePlaced();
  }
}
