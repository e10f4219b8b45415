/** Base64 as text: whether it is any, and of how many bytes. */

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** @returns bytes that padded base64 stands for; null: it is none */
export function base64Bytes(text: string): number | null {
  if (!BASE64.test(text)) return null;
  return (text.length / 4) * 3 - (text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0);
}
