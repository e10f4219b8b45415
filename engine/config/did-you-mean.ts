/** The candidate a mistyped word was probably meant to be, or null when none is near. */
export function closestWord(word: string, candidates: Iterable<string>): string | null {
  const lowered = word.toLowerCase();
  // A third of the letters may be wrong, and one of two; more than that is another word.
  let smallest = Math.max(Math.floor(word.length / 3), word.length > 1 ? 1 : 0) + 1;
  let closest: string | null = null;
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - word.length) >= smallest) continue;
    const distance = editDistance(lowered, candidate.toLowerCase());
    if (distance < smallest) {
      smallest = distance;
      closest = candidate;
    }
  }
  return closest;
}

/** A shorter word is part of too many others. */
const SHORTEST_PART_CHARS = 4;
const MOST_NAMES = 3;

/** `; did you mean "Window"?`, also for part of a name, or nothing. */
export function suggestion(word: string, candidates: Iterable<string>): string {
  const names = [...candidates];
  const closest = closestWord(word, names);
  if (closest !== null) return `; did you mean "${closest}"?`;
  const part = word.toLowerCase();
  const containing = part.length < SHORTEST_PART_CHARS ? [] : names.filter((one) => one.toLowerCase().includes(part));
  if (containing.length === 0) return '';
  const quoted = containing.slice(0, MOST_NAMES).map((name) => `"${name}"`);
  const last = quoted.pop()!;
  return `; did you mean ${quoted.length === 0 ? last : `${quoted.join(', ')} or ${last}`}?`;
}

/** Insertions, deletions, replacements and swaps of neighbours, of single characters (optimal string alignment). */
function editDistance(a: string, b: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const replace = previous[column - 1]! + (a[row - 1] === b[column - 1] ? 0 : 1);
      let distance = Math.min(replace, previous[column]! + 1, current[column - 1]! + 1);
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1])
        distance = Math.min(distance, beforePrevious[column - 2]! + 1);
      current.push(distance);
    }
    beforePrevious = previous;
    previous = current;
  }
  return previous[b.length]!;
}
