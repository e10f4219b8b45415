/**
 * The four messages of SCRAM-SHA-256 (RFC 5802, section 7, and RFC 7677), as text, without channel binding. Who reads one gets its fields,
 * or what is wrong with it in a sentence that names field, value and limit. Nothing here throws, and nothing is computed.
 */
import { base64Bytes } from '../base64.ts';
import {
  isScramIterations,
  MAX_SCRAM_NONCE_LENGTH,
  SCRAM_ITERATIONS,
  SCRAM_KEY_BYTES,
  SCRAM_METHOD,
  SCRAM_SALT_BYTES,
} from './scram-limits.ts';
import { normalUser, SCRAM_USER_LIMIT } from './scram-text.ts';

export interface ScramProblem {
  readonly problem: string;
}

/** `n,,n=user,r=nonce` */
export interface ScramClientFirst {
  /** Normalised. */
  readonly user: string;
  readonly nonce: string;
  /** `n,,`, or `y,,` of a client that could bind the channel. */
  readonly header: string;
  /** The message without the header. */
  readonly bare: string;
}

/** `r=nonce,s=salt,i=iterations` */
export interface ScramServerFirst {
  /** The client's, and the daemon's behind it. */
  readonly nonce: string;
  /** Base64. */
  readonly salt: string;
  readonly iterations: number;
}

/** `c=header,r=nonce,p=proof` */
export interface ScramClientFinal {
  /** Base64 of the header. */
  readonly binding: string;
  readonly nonce: string;
  /** Base64. */
  readonly proof: string;
  /** The message up to the proof. */
  readonly withoutProof: string;
}

const NONCE = /^[!-+\--~]+$/;
/** Attributes of other versions; whoever does not know them passes over them. */
const EXTENSION = /^[A-Za-z]=[^,]+$/;
const FIRST_HEADERS: Readonly<Record<string, string>> = { 'n,,': 'biws', 'y,,': 'eSws' };

const wrong = (field: string, value: string, limit: string): ScramProblem => ({
  problem: `${SCRAM_METHOD} ${field} ${JSON.stringify(value.slice(0, 80))}: must be ${limit}`,
});

export const isProblem = <T extends object>(read: T | ScramProblem): read is ScramProblem => 'problem' in read;

/** Also of the text that a user is to be known by. @param user normalised */
export const clientFirstBare = (user: string, nonce: string): string =>
  `n=${user.replaceAll('=', '=3D').replaceAll(',', '=2C')},r=${nonce}`;

export const clientFirst = (user: string, nonce: string): string => `n,,${clientFirstBare(user, nonce)}`;

export const serverFirst = ({ nonce, salt, iterations }: ScramServerFirst): string =>
  `r=${nonce},s=${salt},i=${iterations}`;

/** Of a client that sent `n,,`. */
export const clientFinalWithoutProof = (nonce: string): string => `c=${FIRST_HEADERS['n,,']},r=${nonce}`;

/** What both sides sign. @param first without its header, `final` without its proof */
export const authMessage = (first: string, challenge: string, final: string): string =>
  `${first},${challenge},${final}`;

export function parseClientFirst(text: string): ScramClientFirst | ScramProblem {
  const header = text.slice(0, 3);
  if (text.startsWith('p=')) return wrong('channel binding', text, 'none: the first message begins with "n,,"');
  if (FIRST_HEADERS[header] === undefined)
    return wrong('header', text, '"n,,": no channel binding, and no other user to act for');
  const bare = text.slice(header.length);
  const [name, nonce, ...extensions] = bare.split(',');
  if (name === undefined || !name.startsWith('n=')) return wrong('user', name ?? '', '"n=" and the user');
  const user = decodeUser(name.slice(2));
  if (user === null) return wrong('user', name.slice(2), SCRAM_USER_LIMIT);
  if (nonce === undefined || !nonce.startsWith('r=') || !isNonce(nonce.slice(2), MAX_SCRAM_NONCE_LENGTH))
    return wrong('nonce', nonce ?? '', `"r=" and 1 to ${MAX_SCRAM_NONCE_LENGTH} printable characters`);
  const unknown = extensions.find((extension) => !EXTENSION.test(extension));
  if (unknown !== undefined) return wrong('extension', unknown, 'a letter, "=" and a value');
  return { user, nonce: nonce.slice(2), header, bare };
}

/** @param clientNonce that the daemon's must begin with */
export function parseServerFirst(text: string, clientNonce: string): ScramServerFirst | ScramProblem {
  const [nonce, salt, iterations, ...extensions] = text.split(',');
  if (nonce === undefined || !nonce.startsWith(`r=${clientNonce}`))
    return wrong('nonce', nonce ?? '', '"r=", and begin with the nonce of this client');
  if (!isNonce(nonce.slice(2 + clientNonce.length), MAX_SCRAM_NONCE_LENGTH))
    return wrong(
      'nonce',
      nonce,
      `continued by the daemon with 1 to ${MAX_SCRAM_NONCE_LENGTH} printable characters behind the client's`,
    );
  if (salt === undefined || !salt.startsWith('s=') || !isBase64Of(salt.slice(2), SCRAM_SALT_BYTES))
    return wrong('salt', salt ?? '', `"s=" and base64 of ${SCRAM_SALT_BYTES.min} to ${SCRAM_SALT_BYTES.max} bytes`);
  const count = /^i=([1-9]\d{0,8})$/.exec(iterations ?? '')?.[1];
  if (count === undefined || !isScramIterations(Number(count)))
    return wrong('iterations', iterations ?? '', `"i=" and ${SCRAM_ITERATIONS.min} to ${SCRAM_ITERATIONS.max}`);
  const unknown = extensions.find((extension) => !EXTENSION.test(extension));
  if (unknown !== undefined) return wrong('extension', unknown, 'a letter, "=" and a value');
  return { nonce: nonce.slice(2), salt: salt.slice(2), iterations: Number(count) };
}

/** @param header of the first message, `nonce` of the answer to it */
export function parseClientFinal(text: string, header: string, nonce: string): ScramClientFinal | ScramProblem {
  const [binding, repeated, ...rest] = text.split(',');
  const proof = rest.pop();
  const expected = FIRST_HEADERS[header]!;
  if (binding !== `c=${expected}`)
    return wrong('channel binding', binding ?? '', `"c=${expected}", the header of the first message`);
  if (repeated !== `r=${nonce}`) return wrong('nonce', repeated ?? '', 'the nonce of this exchange');
  if (proof === undefined || !proof.startsWith('p=') || !isBase64Of(proof.slice(2), KEY_BYTES))
    return wrong('proof', '(hidden)', `"p=" and base64 of ${SCRAM_KEY_BYTES} bytes, at the end`);
  const unknown = rest.find((extension) => !EXTENSION.test(extension));
  if (unknown !== undefined) return wrong('extension', unknown, 'a letter, "=" and a value');
  const withoutProof = text.slice(0, text.length - proof.length - 1);
  return { binding: expected, nonce, proof: proof.slice(2), withoutProof };
}

/** @returns the signature, in base64 */
export function parseServerFinal(text: string): { readonly signature: string } | ScramProblem {
  const [signature, ...extensions] = text.split(',');
  if (signature?.startsWith('e=') === true)
    return { problem: `${SCRAM_METHOD}: the daemon says ${JSON.stringify(text)}` };
  if (signature === undefined || !signature.startsWith('v=') || !isBase64Of(signature.slice(2), KEY_BYTES))
    return wrong('signature', text, `"v=" and base64 of ${SCRAM_KEY_BYTES} bytes`);
  const unknown = extensions.find((extension) => !EXTENSION.test(extension));
  if (unknown !== undefined) return wrong('extension', unknown, 'a letter, "=" and a value');
  return { signature: signature.slice(2) };
}

const KEY_BYTES = { min: SCRAM_KEY_BYTES, max: SCRAM_KEY_BYTES };

/** Null: no user. `=2C` and `=3D` stand for comma and equals sign, and no other `=` may be there. */
function decodeUser(name: string): string | null {
  if (/=(?!2C|3D)/.test(name)) return null;
  return normalUser(name.replaceAll('=2C', ',').replaceAll('=3D', '='));
}

const isNonce = (text: string, maxLength: number): boolean => text.length <= maxLength && NONCE.test(text);

function isBase64Of(text: string, { min, max }: { readonly min: number; readonly max: number }): boolean {
  const length = base64Bytes(text);
  return length !== null && length >= min && length <= max;
}
