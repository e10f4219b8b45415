/**
 * Why the file system refused something: `ENOENT: no such file or directory`. Node's message goes on with the call and the path, which the
 * error that quotes this has named already.
 */
export function fileReason(error: unknown): string {
  const { message, syscall } = error as NodeJS.ErrnoException;
  if (message === undefined) return String(error);
  const end = syscall === undefined ? -1 : message.indexOf(`, ${syscall}`);
  return end === -1 ? message : message.slice(0, end);
}
