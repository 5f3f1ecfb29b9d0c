/**
 * The log as one HTML file that loads nothing: step through it with the arrow keys, and see the CPU's page table and
 * each device's at every step. Without script it is still a list of all steps. All text of the log is escaped, and the
 * page's policy lets no other script run than its own.
 */
// biome-ignore lint/correctness/noNodejsModules: a digest is a function of its text alone
import { createHash } from 'node:crypto';
import type { Event } from '../abi/event.ts';
import { describeBody } from './describe-event.ts';
import { drawn, raceDiagram } from './diagram.ts';
import { kernelLabel } from './lines/kernel-label.ts';
import { litmusBlock } from './litmus.ts';
import type { ReportMeta } from './report-meta.ts';
import { escapeHtml, scriptJson } from './stepper/escape-html.ts';
import { type MemorySteps, memorySteps } from './stepper/memory-steps.ts';
import { STEPPER_SCRIPT } from './stepper/stepper-script.ts';
import { STEPPER_STYLE } from './stepper/stepper-style.ts';
import { actorsSeen } from './timeline/actors.ts';
import { inOrder } from './timeline/event-order.ts';
import { spansOf } from './timeline/spans.ts';
import { NO_RETURN_WORDS } from './turn.ts';

/** A longer log is shown from here to its end: browsers take no more without effort. */
export const HTML_STEPS_MAX = 20_000;
/** More rows than this are drawn only where they are seen. */
const ROWS_DRAWN_MAX = 2_000;
/** The first ones say what went wrong; the others follow from them. */
export const VIOLATIONS_SHOWN_MAX = 50;

interface StepperStep {
  readonly n: number;
  readonly actor: string;
  readonly text: string;
  readonly bug: boolean;
}

/** What the page's script reads. */
export interface StepperData {
  readonly steps: readonly StepperStep[];
  readonly memory: MemorySteps;
}

type Violation = Extract<Event, { kind: 'violation' }>;

export function htmlReport(events: readonly Event[], meta: ReportMeta): string {
  // What was before is shown, too: histories name it, and the page tables begin with it.
  const log = inOrder([...(meta.setup ?? []), ...events]);
  const shown = log.slice(-HTML_STEPS_MAX);
  const spans = spansOf(log);
  const steps = shown.map((event) => ({
    n: event.n,
    actor: event.kind === 'violation' ? event.device || event.actor : spans.hostOf(event),
    text:
      event.n === meta.turn?.noReturn
        ? `${describeBody(event)} (${NO_RETURN_WORDS})`
        : describeBody(event),
    bug: event.kind === 'violation',
  }));
  const data: StepperData = { steps, memory: memorySteps(shown) };
  const seen = new Set(steps.map(({ actor }) => actor));
  const named = actorsSeen(log).map(({ name }) => name);
  const actors = [
    ...named.filter((name) => seen.has(name)),
    ...[...seen].filter((name) => !named.includes(name)),
  ];
  const style = `${STEPPER_STYLE}:root { --actors: ${actors.length}; }\n`;
  const title = `${meta.name}, kernel ${kernelLabel(meta)}: ${meta.verdict}`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy(style)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="mmrace">
<title>${escapeHtml(title)}</title>
<style>${style}</style>
</head>
<body>
${head(meta)}
${controls(steps)}
<main>
${timeline(steps, actors, log.length - shown.length)}
<aside>
${memoryPanel(data.memory)}
${violationPanel(shown.filter((event) => event.kind === 'violation'))}
${detail('As a diagram', raceDiagram(events, drawn(meta)))}
${detail('As a litmus outcome', litmusBlock(meta.litmus))}
</aside>
</main>
<script type="application/json" id="log">${scriptJson(data)}</script>
<script>${STEPPER_SCRIPT}</script>
</body>
</html>
`;
}

/** Nothing is loaded from anywhere, and only what stands here, by its hash, is run or applied. */
function policy(style: string): string {
  const hash = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
  return [
    "default-src 'none'",
    `script-src ${hash(STEPPER_SCRIPT)}`,
    `style-src ${hash(style)}`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
}

function head(meta: ReportMeta): string {
  const { name, verdict, seen, bound, reproduce } = meta;
  const again = reproduce === 'none' ? '' : `\n<p>Again: <code>${escapeHtml(reproduce)}</code></p>`;
  return `<header>
<h1>${escapeHtml(name)} <span class="verdict ${verdict}">${verdict}</span></h1>
<p>Kernel: ${escapeHtml(kernelLabel(meta))}. ${escapeHtml(seen)}.</p>
<p class="quiet">Bound: ${escapeHtml(bound)}.</p>${again}
</header>`;
}

function controls(steps: readonly StepperStep[]): string {
  const button = (id: string, label: string, key: string) =>
    `<button type="button" id="${id}" title="${key}">${label}</button>`;
  const bug = steps.some((step) => step.bug) ? button('bug', 'Next BUG', 'b') : '';
  return `<nav aria-label="Steps">
${button('first', 'First', 'Home')}
${button('back', 'Back', 'Arrow left')}
${button('next', 'Next', 'Arrow right')}
${button('last', 'Last', 'End')}
${bug}
<input type="range" id="slider" min="0" max="${Math.max(0, steps.length - 1)}" value="0" aria-label="Step">
<span id="where"></span>
<input type="search" id="filter" placeholder="Filter steps" aria-label="Filter steps">
<span id="now" aria-live="polite"></span>
<p class="quiet keys">Keys: arrows step, Home and End jump${bug === '' ? '' : ', b goes to the next BUG'}.</p>
</nav>`;
}

function timeline(steps: readonly StepperStep[], actors: readonly string[], left: number): string {
  const heads = actors.map((actor) => `<span>${escapeHtml(actor)}</span>`).join('');
  const column = new Map(actors.map((actor, at) => [actor, at]));
  const rows = steps.map(({ n, actor, text, bug }) => {
    const before = '<span></span>'.repeat(column.get(actor) ?? 0);
    const kind = bug ? ' class="bug"' : '';
    return `<li${kind}><span class="n">${n}</span>${before}<a href="#${n}">${escapeHtml(text)}</a></li>`;
  });
  const omitted = left === 0 ? '' : `<p class="quiet">${left} earlier steps are left out.</p>\n`;
  return `<section id="timeline" aria-label="Timeline">
${omitted}<div class="heads"><span>step</span>${heads}</div>
<ol id="steps"${steps.length > ROWS_DRAWN_MAX ? ' class="long"' : ''}>
${rows.join('\n')}
</ol>
</section>`;
}

function violationPanel(violations: readonly Violation[]): string {
  const items = violations.slice(0, VIOLATIONS_SHOWN_MAX).map(
    ({ n, rule, oracle, text, cpuHistory, deviceHistory, device }) => `<li data-step="${n}">
<strong>[${escapeHtml(rule)}] ${escapeHtml(oracle)}</strong>, step ${stepLink(n)}
<p>${escapeHtml(text)}</p>
${historyLine('CPU side', cpuHistory)}
${historyLine(device === '' ? 'Device side' : device, deviceHistory)}
</li>`,
  );
  const more = violations.length - items.length;
  const body =
    items.length === 0
      ? '<p class="quiet">No rule was violated.</p>'
      : `<ul id="violations">\n${items.join('\n')}\n</ul>`;
  return `<section aria-label="Violations">
<h2>Violations</h2>
${body}${more === 0 ? '' : `\n<p class="quiet">${more} more are not shown.</p>`}
</section>`;
}

function historyLine(side: string, steps: readonly number[]): string {
  if (steps.length === 0) return '';
  return `<p class="history">${escapeHtml(side)}: ${steps.map(stepLink).join(' ')}</p>`;
}

function stepLink(n: number): string {
  return `<a href="#${n}">${n}</a>`;
}

function memoryPanel({ columns, rows, atFirst, left }: MemorySteps): string {
  const heads = ['page', ...columns].map((name) => `<th scope="col">${escapeHtml(name)}</th>`);
  const lines = rows.map((row, at) => {
    const cells = (atFirst[at] ?? []).map(({ text }) => `<td>${escapeHtml(text)}</td>`).join('');
    return `<tr><th scope="row">${row}</th>${cells}</tr>`;
  });
  const omitted = left === 0 ? '' : `\n<p class="quiet">${left} more pages are not shown.</p>`;
  return `<section id="memory-panel" aria-label="Memory">
<h2>Page tables at this step</h2>
<table id="memory">
<thead><tr>${heads.join('')}</tr></thead>
<tbody>
${lines.join('\n')}
</tbody>
</table>${omitted}
</section>`;
}

function detail(summary: string, text: string): string {
  return `<details><summary>${summary}</summary><pre>${escapeHtml(text)}</pre></details>`;
}
