/**
 * The ring's all-received-up-to (ring-protocol.md, 2.7). Only the member that lowered it may raise it, else a member that
 * is behind would be skipped; and it means something only once it survived a whole rotation, so what is stable is
 * the lesser of the values on two tokens in a row.
 */
import type { NodeIndex } from '../wire/ids.ts';
import type { Token } from '../wire/ring-token.ts';

/** @param arrivedSeq the token's sequence number as it came, before this visit's packets */
export function updateAru(token: Token, arrivedSeq: number, myAru: number, self: NodeIndex): void {
  if (myAru < token.aru) {
    token.aru = myAru;
    token.aruHolder = self;
  } else if (token.aruHolder === self) {
    token.aru = myAru;
  } else if (token.aru === arrivedSeq) {
    token.aru = myAru;
    token.aruHolder = self;
  }
}
