/** Text files an operator writes: the configuration, keys, passwords, access lists. Whatever is at the path, the error names it and says what is wrong. */
import { type FileHandle, open } from 'node:fs/promises';
import { fileReason } from './file-reason.ts';

/** What the largest of them may be: passwords of a hundred thousand users. */
export const MAX_TEXT_FILE_BYTES = 16 * 1024 * 1024;
const CHUNK_BYTES = 64 * 1024;

/**
 * @returns the text without a byte order mark; bytes that are no UTF-8 become U+FFFD
 * @throws (rejects) an error with `code` of the file system where there is one; its message begins with the path. Never
 * with anything of the content, which may be secret
 */
export async function readTextFile(path: string): Promise<string> {
  const bytes = await readBounded(path).catch((cause: NodeJS.ErrnoException) => {
    const { code } = cause;
    throw Object.assign(
      new Error(`${path}: cannot be read: ${fileReason(cause)}`, { cause }),
      code === undefined ? {} : { code },
    );
  });
  if (isUtf16(bytes)) throw new Error(`${path}: is UTF-16; save it as UTF-8 or plain ASCII`);
  const nul = bytes.indexOf(0);
  if (nul >= 0) throw new Error(`${path}: has a NUL byte at offset ${nul}; a text file is expected`);
  const text = bytes.toString('utf8');
  return text.startsWith('\uFEFF') ? text.slice(1) : text;
}

/** Also of a pipe, of which nobody knows the length beforehand. */
async function readBounded(path: string): Promise<Buffer> {
  const file = await open(path, 'r');
  try {
    return await readAll(file);
  } finally {
    await file.close();
  }
}

async function readAll(file: FileHandle): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let lengthBytes = 0;
  for (;;) {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(CHUNK_BYTES), 0, CHUNK_BYTES, null);
    if (bytesRead === 0) return Buffer.concat(chunks);
    lengthBytes += bytesRead;
    if (lengthBytes > MAX_TEXT_FILE_BYTES) throw new Error(`it is longer than ${MAX_TEXT_FILE_BYTES} bytes`);
    chunks.push(buffer.subarray(0, bytesRead));
  }
}

const isUtf16 = (bytes: Buffer): boolean =>
  (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
