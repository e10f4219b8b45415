/** The unfinished write of a session's transport: its sources and their lengths. All 0: there is none. */
export class WriteInFlight {
  /** Either that many ranges at the front of the queue, which still hold their term buffers, or pieces, or one buffer of its own. */
  ranges = 0;
  pieces = 0;
  privateBytes = 0;
  frames = 0;
  bytes = 0;

  clear(): void {
    this.ranges = 0;
    this.pieces = 0;
    this.privateBytes = 0;
    this.frames = 0;
    this.bytes = 0;
  }
}
