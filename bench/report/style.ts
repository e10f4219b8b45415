/** The style sheet of the page: one column on a phone, cards on a wide screen, black on white in print. */
export const STYLE = `
:root { color-scheme: light dark; --ink: #1c2430; --soft: #5c6675; --line: #d9dee6; --ground: #ffffff; --card: #f6f8fa; --accent: #0072b2; }
@media (prefers-color-scheme: dark) { :root { --ink: #e3e8ef; --soft: #98a3b3; --line: #343c48; --ground: #14181e; --card: #1b2129; --accent: #5bb3e6; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.2rem clamp(0.8rem, 3vw, 2rem) 3rem; max-width: 78rem; background: var(--ground); color: var(--ink); font: 15px/1.5 system-ui, "DejaVu Sans", sans-serif; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0.4rem 0 0.2rem; }
h2 { font-size: 1.15rem; margin: 2.2rem 0 0.6rem; padding-top: 0.5rem; border-top: 1px solid var(--line); }
h3 { font-size: 0.95rem; margin: 0; }
p { margin: 0.4rem 0; max-width: 62rem; }
small, .unit, .facts { color: var(--soft); font-size: 0.8rem; }
.unit { margin: 0 0 0.4rem; }
.facts { display: flex; flex-wrap: wrap; gap: 0.1rem 1.2rem; margin: 0.5rem 0; padding: 0; list-style: none; }
.grid-cards { display: grid; gap: 0.9rem; grid-template-columns: repeat(auto-fill, minmax(min(100%, 27rem), 1fr)); }
.card, figure { background: var(--card); border: 1px solid var(--line); border-radius: 6px; padding: 0.7rem 0.9rem; margin: 0; break-inside: avoid; min-width: 0; }
.row { display: grid; grid-template-columns: 8.5rem 1fr; gap: 0 0.6rem; align-items: center; padding: 0.16rem 0; font-size: 0.84rem; }
.row .figure { grid-column: 2; line-height: 1.3; padding-top: 1px; }
.row .name { grid-row: 1 / span 2; }
.row.subject .name { font-weight: 700; }
.row .why { color: var(--soft); font-size: 0.78rem; overflow-wrap: anywhere; }
.track { position: relative; height: 0.62rem; }
.track i { position: absolute; left: 0; top: 0; bottom: 0; border-radius: 2px; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
.track .tail { opacity: 0.3; }
.relation { margin-left: 0.3rem; white-space: nowrap; }
figcaption { font-weight: 600; font-size: 0.92rem; margin-bottom: 0.2rem; }
figure > svg { display: block; width: 100%; height: auto; }
svg text { font: 11.5px system-ui, "DejaVu Sans", sans-serif; fill: var(--soft); }
svg .axis { fill: var(--ink); }
svg .grid { stroke: var(--line); stroke-width: 1; }
.legend { display: flex; flex-wrap: wrap; gap: 0.1rem 0.9rem; font-size: 0.78rem; }
.legend span { display: inline-flex; align-items: center; gap: 0.35rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: 0.8rem; min-width: 100%; }
th, td { text-align: left; vertical-align: top; padding: 0.3rem 0.6rem 0.3rem 0; border-bottom: 1px solid var(--line); }
th { color: var(--soft); font-weight: 600; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.guarantees td { min-width: 9rem; }
.guarantees td.number { min-width: 0; }
summary { cursor: pointer; color: var(--accent); margin: 0.6rem 0; }
code { font-size: 0.85em; overflow-wrap: anywhere; }
@media (max-width: 30rem) { .row { grid-template-columns: 6.6rem 1fr; } }
@media screen and (max-width: 46rem) {
  .scroll { overflow: visible; }
  table, tbody { display: block; }
  thead { display: none; }
  tr { display: grid; grid-template-columns: repeat(auto-fill, minmax(8.6rem, 1fr)); gap: 0.1rem 0.8rem; padding: 0.5rem 0; border-bottom: 1px solid var(--line); }
  td { border: 0; padding: 0; overflow-wrap: anywhere; }
  td:not(.number) { grid-column: 1 / -1; }
  td:first-child { font-weight: 600; }
  td.number { display: flex; justify-content: space-between; gap: 0.4rem; }
  td.number::before { white-space: normal; text-align: left; }
  td::before { content: attr(data-label) " "; color: var(--soft); font-weight: 400; font-size: 0.72rem; }
  td:first-child::before { content: none; }
}
@media print {
  :root { --ink: #000; --soft: #444; --line: #bbb; --ground: #fff; --card: #fff; }
  body { font-size: 10px; max-width: none; padding: 0; }
  .grid-cards { grid-template-columns: repeat(2, 1fr); }
  .scroll { overflow: visible; }
  table { font-size: 7.5px; }
  h2 { break-after: avoid; }
}
`;
