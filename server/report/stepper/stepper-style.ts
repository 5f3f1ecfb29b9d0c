/** The look of html.ts: the system's fonts, two colour schemes, no images. */
export const STEPPER_STYLE = `
:root {
  color-scheme: light dark;
  --page: #ffffff; --ink: #1c2024; --quiet: #5c6670; --line: #d5dae0; --panel: #f4f6f8;
  --mark: #0b57d0; --mark-back: #e3edfd; --bad: #b3261e; --bad-back: #fbe9e7;
  --good: #146c2e; --changed-back: #fff3c4;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #14171a; --ink: #e4e8ec; --quiet: #98a2ad; --line: #343b43; --panel: #1d2126;
    --mark: #8ab4f8; --mark-back: #22324d; --bad: #f2867d; --bad-back: #45211e;
    --good: #7bd293; --changed-back: #4a3f13;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; padding: 0 1rem; background: var(--page); color: var(--ink);
  font: 14px/1.45 system-ui, sans-serif;
  display: flex; flex-direction: column; height: 100vh;
}
code, pre, #steps, .heads, #memory, #now { font-family: ui-monospace, monospace; font-size: 12.5px; }
h1 { font-size: 1.25rem; margin: .9rem 0 .2rem; }
h2 { font-size: .95rem; margin: 0 0 .4rem; }
p { margin: .2rem 0; }
a { color: inherit; }
header { border-bottom: 1px solid var(--line); padding-bottom: .6rem; }
.verdict { font-weight: 600; padding: 0 .45em; border-radius: .3em; border: 1px solid currentcolor; }
.verdict.broken, .verdict.unknown { color: var(--bad); }
.verdict.holds { color: var(--good); }
.quiet { color: var(--quiet); }
nav {
  display: flex; flex-wrap: wrap; gap: .4rem; align-items: center; padding: .5rem 0;
  border-bottom: 1px solid var(--line);
}
nav input[type=range] { flex: 1 1 12rem; min-width: 6rem; }
#where { min-width: 9em; font-variant-numeric: tabular-nums; }
code { overflow-wrap: anywhere; }
.keys { flex-basis: 100%; margin: 0; font-size: 12px; }
@media (hover: none) { .keys { display: none; } }
#now { flex-basis: 100%; min-height: 1.45em; overflow-wrap: anywhere; }
button, input { font: inherit; color: inherit; }
button {
  background: var(--panel); border: 1px solid var(--line); border-radius: .3em; padding: .15rem .6rem;
}
:focus-visible { outline: 2px solid var(--mark); outline-offset: 1px; }
main {
  flex: 1; min-height: 0; display: grid; gap: 1rem;
  grid-template-columns: minmax(0, 3fr) minmax(18rem, 2fr);
}
#timeline { overflow: auto; }
#steps { list-style: none; margin: 0; padding: 0; min-width: min-content; }
#steps li, .heads {
  display: grid; grid-template-columns: 5ch repeat(var(--actors), minmax(18ch, 1fr)); gap: 0 .6rem;
  padding: .1rem .3rem; border-left: 3px solid transparent;
}
#steps li { scroll-margin: 3rem; }
#steps.long li { content-visibility: auto; contain-intrinsic-size: auto 2.9em; }
#steps li[hidden] { display: none; }
.heads {
  position: sticky; top: 0; z-index: 1; min-width: min-content; padding-top: .6rem;
  background: var(--page); font-weight: 600; border-bottom: 1px solid var(--line);
}
#steps a { text-decoration: none; overflow-wrap: anywhere; }
#steps .n { color: var(--quiet); text-align: right; }
#steps li.future { opacity: .45; }
#steps li.bug { color: var(--bad); font-weight: 600; }
#steps li[aria-current] { background: var(--mark-back); border-left-color: var(--mark); opacity: 1; }
aside { overflow: auto; padding: .6rem 0; }
aside > * { margin-bottom: 1rem; }
aside section {
  background: var(--panel); border: 1px solid var(--line); border-radius: .4em;
  padding: .6rem; overflow-x: auto;
}
#memory-panel { max-height: 45vh; overflow: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .15rem .5rem; border-bottom: 1px solid var(--line); vertical-align: top; }
th { font-weight: 600; }
td.empty { color: var(--quiet); }
td.changed { background: var(--changed-back); }
td.differs { color: var(--bad); }
td.differs::after { content: " \\2260 CPU"; font-weight: 600; }
#violations { margin: 0; padding: 0; list-style: none; display: grid; gap: .6rem; }
#violations > li {
  background: var(--bad-back); border-left: 3px solid var(--bad); padding: .4rem .6rem;
  overflow-wrap: anywhere;
}
#violations > li.future { opacity: .55; }
.history a { margin-right: .5em; font-variant-numeric: tabular-nums; }
pre { margin: .4rem 0 0; overflow-x: auto; }
@media (max-width: 60rem) {
  body { height: auto; }
  nav { position: sticky; top: 0; z-index: 2; background: var(--page); }
  main { grid-template-columns: minmax(0, 1fr); }
  .heads { position: static; }
  #steps li { scroll-margin: 8rem 0 3rem; }
  aside { order: -1; }
}
@media print {
  body { height: auto; }
  nav { display: none; }
  main { display: block; }
  #steps li.future { opacity: 1; }
}
`;
