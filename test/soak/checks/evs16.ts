import { type History, nodeOf } from '../history/history.ts';
import { type Findings, FindingsDraft, nodeLabel } from './findings.ts';

/** Nodes and edges in compressed rows: the successors of `node` are `targets[rows[node], rows[node + 1])`. */
interface Graph {
  readonly rows: Int32Array;
  readonly targets: Int32Array;
}

/**
 * EVS-16, one total order: with an edge between each two neighbours of every session's trace, messages and views alike (EVS-16b),
 * the graph has no cycle. One count for each edge.
 */
export function checkEvs16(history: History): Findings {
  const findings = new FindingsDraft();
  const graph = orderGraph(history);
  findings.checked = graph.targets.length;
  const cycle = findCycle(graph);
  if (cycle.length > 0) {
    const shown = cycle.slice(0, 8).map((node) => nodeLabel(history, node));
    findings.violation(`sessions disagree on the order of ${cycle.length} events: ${shown.join(' < ')} < the first`);
  }
  return findings.done();
}

function orderGraph(history: History): Graph {
  const { messages, views } = history;
  const nodes = messages.length + views.length;
  const rows = new Int32Array(nodes + 1);
  const isOrdered = (node: number): boolean => node >= messages.length || messages[node].ordered;
  const eachEdge = (visit: (from: number, to: number) => void): void => {
    for (const { events } of history.sessions) {
      let previous = -1;
      for (const event of events) {
        const node = nodeOf(event);
        if (!isOrdered(node)) continue;
        if (previous >= 0) visit(previous, node);
        previous = node;
      }
    }
  };
  eachEdge((from) => rows[from + 1]++);
  for (let node = 0; node < nodes; node++) rows[node + 1] += rows[node];
  const targets = new Int32Array(rows[nodes]);
  const filled = rows.slice(0, nodes);
  eachEdge((from, to) => {
    targets[filled[from]++] = to;
  });
  return { rows, targets };
}

/** Takes away nodes nothing comes before, until none is left; what remains holds a cycle, which is returned. */
function findCycle({ rows, targets }: Graph): number[] {
  const nodes = rows.length - 1;
  const before = new Int32Array(nodes);
  for (const target of targets) before[target]++;
  const free: number[] = [];
  for (let node = 0; node < nodes; node++) if (before[node] === 0) free.push(node);
  let taken = 0;
  for (let node = free.pop(); node !== undefined; node = free.pop()) {
    taken++;
    for (let i = rows[node]; i < rows[node + 1]; i++) if (--before[targets[i]] === 0) free.push(targets[i]);
  }
  if (taken === nodes) return [];
  // Every node that remains has one before it that remains: going back leads into a cycle.
  const predecessor = new Int32Array(nodes).fill(-1);
  for (let node = 0; node < nodes; node++) {
    if (before[node] === 0) continue;
    for (let i = rows[node]; i < rows[node + 1]; i++) predecessor[targets[i]] = node;
  }
  const seenAt = new Map<number, number>();
  const path: number[] = [];
  let node = before.findIndex((count) => count > 0);
  while (!seenAt.has(node)) {
    seenAt.set(node, path.length);
    path.push(node);
    node = predecessor[node];
  }
  return path.slice(seenAt.get(node)).reverse();
}
