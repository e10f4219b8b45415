/** The candidate a mistyped word was probably meant to be, or null when none is near. */
export function closestWord(word: string, candidates: Iterable<string>): string | null {
  const lowered = word.toLowerCase();
  // A third of the letters may be wrong; more than that is another word.
  let smallest = Math.floor(word.length / 3) + 1;
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

/** `; did you mean "Window"?`, or nothing. */
export function suggestion(word: string, candidates: Iterable<string>): string {
  const closest = closestWord(word, candidates);
  return closest === null ? '' : `; did you mean "${closest}"?`;
}

/** Levenshtein distance: insertions, deletions and replacements of single characters. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const replace = previous[column - 1]! + (a[row - 1] === b[column - 1] ? 0 : 1);
      current.push(Math.min(replace, previous[column]! + 1, current[column - 1]! + 1));
    }
    previous = current;
  }
  return previous[b.length]!;
}
