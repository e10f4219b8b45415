/** What an address that cannot be read was probably meant to be. */

/** Parts that stand for the address, most specific first. */
const MEANT: readonly (readonly [RegExp, (...parts: readonly string[]) => string])[] = [
  // `localhost@4803` and `4803:localhost` have the parts the wrong way round.
  [/^(?!\d+@)([^@]+)@(\d+)$/, (host, port) => `${port}@${host}`],
  [/^(\d+):([^:@\s]*[^:@\s\d][^:@\s]*)$/, (port, host) => `${port}@${host}`],
  [/^(\d+)@\[?([^:@\]]+)\]?:\d+$/, (port, host) => `${port}@${host}`],
  [/^([^:@\s]+):(\d+)@\d*$/, (host, port) => `${port}@${host}`],
  [/^(\d+)@$/, (port) => `${port}@localhost`],
  [/^@([^@]+)$/, (host) => `4803@${host}`],
  [/^:(\d+)$/, (port) => `${port}@localhost`],
  [/^(?!unix:)([^:@\s]+):$/i, (host) => `${host}:4803`],
  [/^(\d+)[\s,;]+(\S+)$/, (port, host) => `${port}@${host}`],
  [/^([^\s,;]+)[\s,;]+(\d+)$/, (host, port) => `${host}:${port}`],
  [/^(?:https?|wss?|nats|redis):\/\/([^/@?#]+)/i, (authority) => `tcp://${authority}`],
  [/^([a-z]+):\/\/[^/@]*@([^/@]+)$/i, (scheme, authority) => `${scheme}://${authority}`],
];

/** @param isAddress whether a text can be read as an address @returns `; did you mean "4803@localhost"?`, or nothing */
export function addressHint(text: string, isAddress: (text: string) => boolean): string {
  const trimmed = text.trim();
  const meant = candidates(trimmed).find(isAddress);
  return meant === undefined ? '' : `; did you mean ${JSON.stringify(meant)}?`;
}

function candidates(trimmed: string): readonly string[] {
  const found = trimmed === '' ? [] : [trimmed.replace(/\s*([@:])\s*/g, '$1')];
  for (const [pattern, meant] of MEANT) {
    const match = pattern.exec(trimmed);
    if (match !== null) found.push(meant(...match.slice(1)));
  }
  return found;
}
