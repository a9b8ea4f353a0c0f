"""The style sheet of the reports: one column of text, pictures in a grid, readable on a phone."""

STYLE = """
:root { color-scheme: light dark; --ink: #1c1e21; --dim: #62676d; --paper: #fdfcfa;
  --rule: #dcd8d0; --accent: #9a3412; --soft: #efe9df; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8e4dc; --dim: #a09a90; --paper: #17181a;
  --rule: #3a3b3e; --accent: #f59e6c; --soft: #2b2a28; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 1.0625rem/1.6 Charter, "Bitstream Charter", "Iowan Old Style", Georgia, serif; }
main { max-width: 76rem; margin: 0 auto; padding: 2.5rem 1.25rem 5rem; }
h1 { font-size: 2.1rem; line-height: 1.2; margin: 0 0 1rem; text-wrap: balance; }
h2 { font-size: 1.4rem; margin: 3rem 0 0.75rem; padding-top: 1rem;
  border-top: 1px solid var(--rule); }
h3 { font-size: 1.1rem; margin: 2rem 0 0.25rem; }
p { max-width: 42rem; margin: 0.5rem 0; overflow-wrap: break-word; }
p.lead { font-size: 1.15rem; }
figure { margin: 1.5rem 0; }
figcaption, .legend, th, svg text { font-family: system-ui, sans-serif; }
figcaption { color: var(--dim); font-size: 0.875rem; line-height: 1.4; margin: 0.35rem 0; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 0.95rem; }
th { text-align: left; font-weight: 600; font-size: 0.8rem; vertical-align: bottom; }
th, td { padding: 0.4rem 1rem 0.4rem 0; border-bottom: 1px solid var(--rule); }
thead th { border-bottom: 2px solid var(--ink); }
td.number { text-align: right; }
.chart svg { width: 100%; max-width: 44rem; height: auto; display: block; }
svg text { font-size: 13px; fill: var(--ink); }
svg .tick { fill: var(--dim); font-size: 11px; }
svg .span { stroke: var(--accent); stroke-width: 4; stroke-linecap: round; opacity: 0.45; }
svg .mean { fill: var(--accent); }
svg .one { fill: none; stroke: var(--dim); }
svg .zero { stroke: var(--dim); stroke-dasharray: 3 3; }
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: 0.25rem 1.25rem; padding: 0;
  font-size: 0.875rem; }
.legend span { display: inline-block; width: 0.9em; height: 0.9em; margin-right: 0.4em;
  vertical-align: -0.08em; border-radius: 2px; }
.row { display: grid; grid-template-columns: repeat(auto-fit, minmax(15rem, 1fr)); gap: 0.9rem; }
.row figure { margin: 0; }
.row img { width: 100%; height: auto; display: block; border-radius: 3px; background: var(--soft); }
@media (max-width: 34rem) { main { padding: 1.5rem 1rem 3rem; } h1 { font-size: 1.6rem; }
  th, td { padding-right: 0.7rem; } }
"""
