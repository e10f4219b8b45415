/**
 * The daemon's side of one exchange of SCRAM-SHA-256 within the handshake: messages in, questions to the caller, who has the credentials
 * and computes.
 */
import {
  SCRAM_ANSWER_CODE_OFFSET,
  SCRAM_ANSWER_LENGTH_OFFSET,
  SCRAM_ANSWER_MESSAGE_OFFSET,
} from './layout/scram-answer.ts';
import { RESULT_CODES } from './result-codes.ts';
import { MAX_SCRAM_MESSAGE_LENGTH } from './scram-limits.ts';
import {
  authMessage,
  isProblem,
  parseClientFinal,
  parseClientFirst,
  type ScramClientFirst,
  type ScramProblem,
  type ScramServerFirst,
  serverFirst,
} from './scram-messages.ts';

/** What a user is challenged with. An unknown user gets the like of it. */
export interface ScramChallenge {
  /** The daemon's part. */
  readonly nonce: string;
  /** Base64. */
  readonly salt: string;
  readonly iterations: number;
}

export type ScramQuestion =
  | { readonly kind: 'scram-begin'; readonly user: string }
  | {
      readonly kind: 'scram-prove';
      readonly user: string;
      /** What both sides sign. */
      readonly authMessage: string;
      /** Base64. */
      readonly proof: string;
    };

/** What is no UTF-8 becomes U+FFFD, which no message may have. */
const UTF8 = new TextDecoder('utf-8', { ignoreBOM: true });

export class ScramDialog {
  #first: ScramClientFirst | null = null;
  #challenge: ScramServerFirst | null = null;

  /** That the client says it is; empty before its first message. */
  get user(): string {
    return this.#first?.user ?? '';
  }

  read(message: Uint8Array): ScramQuestion | ScramProblem {
    const text = UTF8.decode(message);
    const first = this.#first;
    const challenge = this.#challenge;
    if (first === null || challenge === null) {
      const read = parseClientFirst(text);
      if (isProblem(read)) return read;
      this.#first = read;
      return { kind: 'scram-begin', user: read.user };
    }
    const final = parseClientFinal(text, first.header, challenge.nonce);
    if (isProblem(final)) return final;
    const signed = authMessage(first.bare, serverFirst(challenge), final.withoutProof);
    return { kind: 'scram-prove', user: first.user, authMessage: signed, proof: final.proof };
  }

  /** @returns the answer to the client's first message */
  challenge(challenge: ScramChallenge): Uint8Array {
    this.#challenge = { ...challenge, nonce: this.#first!.nonce + challenge.nonce };
    return this.answer(serverFirst(this.#challenge));
  }

  /** @param text ASCII, of up to 255 characters */
  answer(text: string): Uint8Array {
    const length = Math.min(text.length, MAX_SCRAM_MESSAGE_LENGTH);
    const bytes = new Uint8Array(SCRAM_ANSWER_MESSAGE_OFFSET + length);
    bytes[SCRAM_ANSWER_CODE_OFFSET] = RESULT_CODES.ACCEPT_SESSION;
    bytes[SCRAM_ANSWER_LENGTH_OFFSET] = length;
    for (let i = 0; i < length; i++) bytes[SCRAM_ANSWER_MESSAGE_OFFSET + i] = text.charCodeAt(i);
    return bytes;
  }
}
