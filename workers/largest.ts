/** The items with the highest scores. */

/** @returns at most `count` of the items, highest first. Costs one comparison for each item that is not among them */
export function largest<T>(items: Iterable<T>, count: number, score: (item: T) => number): T[] {
  // A heap with the lowest of the chosen at its root.
  const heap: { readonly item: T; readonly value: number }[] = [];
  for (const item of items) {
    const value = score(item);
    if (heap.length < count) {
      heap.push({ item, value });
      rise(heap, heap.length - 1);
    } else if (count > 0 && value > heap[0]!.value) {
      heap[0] = { item, value };
      sink(heap);
    }
  }
  return heap.sort((a, b) => b.value - a.value).map(({ item }) => item);
}

interface Valued {
  readonly value: number;
}

function rise(heap: Valued[], from: number): void {
  for (let at = from; at > 0; ) {
    const above = (at - 1) >> 1;
    if (heap[above]!.value <= heap[at]!.value) return;
    swap(heap, at, above);
    at = above;
  }
}

function sink(heap: Valued[]): void {
  for (let at = 0; ; ) {
    let lowest = at;
    for (const below of [2 * at + 1, 2 * at + 2]) {
      if (below < heap.length && heap[below]!.value < heap[lowest]!.value) lowest = below;
    }
    if (lowest === at) return;
    swap(heap, at, lowest);
    at = lowest;
  }
}

function swap(heap: Valued[], a: number, b: number): void {
  const held = heap[a]!;
  heap[a] = heap[b]!;
  heap[b] = held;
}
