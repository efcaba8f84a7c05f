"""How the page looks: in light, in dark, and on paper."""

__all__ = ["STYLE"]

STYLE = """
:root { color-scheme: light dark; --back: #fff; --fore: #1b1b1f; --quiet: #5b5b66;
  --line: #d6d6dd; --panel: #f5f5f8; --mine: #00558c; --other: #c4c4cc; --repaired: #a5480a;
  --target: #1b1b1f; --error: #a1121f; --warning: #7a5200; --info: #00558c; }
@media (prefers-color-scheme: dark) { :root { --back: #16161a; --fore: #ececf1;
  --quiet: #a9a9b6; --line: #3b3b45; --panel: #202027; --mine: #7cc1f5; --other: #54545f;
  --repaired: #f5a56c; --target: #ececf1; --error: #ff8f98; --warning: #f0c050;
  --info: #7cc1f5; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); color: var(--fore);
  font: 1rem/1.55 system-ui, sans-serif; }
main, header, footer { max-width: 60rem; margin: 0 auto; padding: 0 1.25rem; }
header { padding-top: 1.5rem; }
h1 { font-size: 1.1rem; color: var(--quiet); margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 1.3rem; margin: 2.5rem 0 .75rem; }
h3 { font-size: 1.05rem; margin: 0 0 .4rem; }
.verdict { font-size: 1.45rem; line-height: 1.35; font-weight: 650; margin: .5rem 0; }
.quiet, figcaption, caption, summary { color: var(--quiet); }
a { color: var(--info); }
.skip { position: absolute; left: -99rem; }
.skip:focus { left: 1rem; top: .5rem; background: var(--back); padding: .3rem .6rem; }
nav ul { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; padding: 0; list-style: none; }
:focus-visible { outline: 3px solid var(--info); outline-offset: 2px; }
article { background: var(--panel); border-left: .35rem solid var(--quiet);
  padding: .9rem 1.1rem; margin: 0 0 1rem; border-radius: .2rem; }
article.error { border-color: var(--error); } article.warning { border-color: var(--warning); }
article.info { border-color: var(--info); } article p { margin: .4rem 0; }
.tag { font-size: .8rem; font-weight: 700; text-transform: uppercase; letter-spacing: .04em; }
.error .tag { color: var(--error); } .warning .tag { color: var(--warning); }
.info .tag { color: var(--info); }
.command { background: var(--panel); border: 1px solid var(--line); padding: .6rem .8rem;
  overflow-x: auto; user-select: all; border-radius: .2rem; }
figure { margin: 0 0 1rem; } svg { width: 100%; height: auto; overflow: visible; }
figure svg { max-width: 44rem; } .small svg { max-width: 24rem; }
svg text { fill: var(--fore); font-size: 13px; } svg .strong { font-weight: 700; }
rect.mine { fill: var(--mine); } rect.other { fill: var(--other); }
rect.repaired { fill: var(--repaired); }
polyline { fill: none; stroke-width: 1.5; }
.target { stroke: var(--target); stroke-dasharray: 2 3; }
.counting { stroke: var(--quiet); stroke-dasharray: 7 4; }
.curve { stroke-width: 2.2; } .curve.mine { stroke: var(--mine); }
.curve.repaired { stroke: var(--repaired); }
.grid { display: grid; grid-template-columns: repeat(auto-fill, minmax(17rem, 1fr)); gap: 1rem; }
.wide { overflow-x: auto; } table { border-collapse: collapse; min-width: 24rem; }
caption { text-align: left; padding-bottom: .3rem; }
th, td { text-align: left; padding: .25rem 1rem .25rem 0; border-bottom: 1px solid var(--line);
  vertical-align: top; font-variant-numeric: tabular-nums; font-weight: 400; }
thead th { font-weight: 650; } summary { cursor: pointer; }
footer { padding: 2rem 1.25rem; color: var(--quiet); }
@media print { :root { --back: #fff; --fore: #000; --quiet: #444; --panel: #fff; }
  nav, .skip { display: none; } body { font-size: 10pt; }
  figure, .wide, tr, li, h3, .command { break-inside: avoid; } .wide { overflow: visible; }
  h2, h3, .tag, caption, thead, section > p { break-after: avoid; } h2 { margin-top: 1.5rem; }
  .small svg { max-width: 15rem; } .grid { grid-template-columns: repeat(3, 1fr); }
  .command { white-space: pre-wrap; overflow-wrap: anywhere; }
  details::details-content { content-visibility: visible; display: block; }
  summary { list-style: none; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; } }
"""
"""The whole style sheet; colours keep 4.5 : 1 against what is behind them in both schemes."""
