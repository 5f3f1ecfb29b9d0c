/** Every form in which a run can be shown, by the name that `--format` takes. All are made of one event log. */

import type { Event } from '../abi/event.ts';
import { drawn, raceDiagram } from './diagram.ts';
import type { FormatName } from './format-names.ts';
import { ftraceText } from './ftrace.ts';
import { htmlReport } from './html.ts';
import { type KtapGroup, type KtapOutcome, ktapDocument } from './ktap.ts';
import { kernelLabel } from './lines/kernel-label.ts';
import { LIST_COLUMNS_MAX } from './lines/list-columns.ts';
import { wrapText } from './lines/wrap-text.ts';
import { litmusBlock } from './litmus.ts';
import { pagemapText } from './pagemap.ts';
import { perfettoTrace } from './perfetto.ts';
import type { Renderer, ReportMeta } from './report-meta.ts';
import { shivizLog } from './shiviz.ts';
import { splat } from './splat.ts';
import { timeSliceDiagram } from './timeslice.ts';

export interface Format {
  readonly render: Renderer;
  /** Of a file that holds it, without the dot. */
  readonly extension: 'txt' | 'json' | 'html';
  readonly contentType: string;
  /** What it is good for, in a few words. */
  readonly summary: string;
}

export const FORMATS: { readonly [Name in FormatName]: Format } = {
  litmus: text(
    (_, meta) => `${remark(meta)}${litmusBlock(meta.litmus)}`,
    'the outcome block of herd7 and klitmus7',
  ),
  diagram: text(
    (events, meta) => `${headline(meta)}\n\n${raceDiagram(events, drawn(meta))}\n`,
    'the race in columns, for a mail',
  ),
  timeslice: text(
    (events, meta) => `${headline(meta)}\n\n${timeSliceDiagram(events, drawn(meta))}\n`,
    'the race in slices of time',
  ),
  ktap: text((events, meta) => ktapDocument([scenarioTests(events, meta)]), 'KTAP 1, for CI'),
  splat: text(splat, 'what a kernel would have said on its console'),
  ftrace: text(ftraceText, 'a trace file with the names of tracepoints'),
  perfetto: {
    render: perfettoTrace,
    extension: 'json',
    contentType: 'application/json',
    summary: 'a trace for ui.perfetto.dev',
  },
  shiviz: text(shivizLog, 'a log with vector clocks, for ShiViz'),
  html: {
    render: htmlReport,
    extension: 'html',
    contentType: 'text/html; charset=utf-8',
    summary: 'a page to step through',
  },
  pagemap: text(
    (events, meta) => `${remark(meta)}${pagemapText([...(meta.setup ?? []), ...events])}`,
    '/proc/PID/maps and pagemap at the end',
  ),
};

/** What was asked and what came of it: `seed-zero-page: holds (kernel stock 6.12)`. */
function headline(meta: ReportMeta): string {
  const { name, verdict } = meta;
  return wrapText(`${name}: ${verdict} (kernel ${kernelLabel(meta)})`, LIST_COLUMNS_MAX - 2).join(
    '\n',
  );
}

/** The same where other programs read on. */
function remark(meta: ReportMeta): string {
  return headline(meta).replaceAll(/^/gm, '# ').concat('\n');
}

function text(render: Renderer, summary: string): Format {
  return { render, extension: 'txt', contentType: 'text/plain; charset=utf-8', summary };
}

/** One run of a scenario, as its properties: a campaign is a group of these. */
function scenarioTests(events: readonly Event[], meta: ReportMeta): KtapGroup {
  const { name, patch, verdict, seen, bound, reproduce, properties } = meta;
  const own = properties.map((property) => ({ ...property, diagnostics: [] }));
  const diagnostics = [
    `${verdict}: ${seen}`,
    `bound: ${bound}`,
    ...(meta.lockOrder ?? []).map((breach) => `warning: ${breach}`),
    ...(reproduce === 'none' ? [] : [`reproduce: ${reproduce}`]),
    ...(verdict === 'broken' ? raceDiagram(events, drawn(meta)).split('\n') : []),
  ];
  // The verdict stands by itself: a search may be cut off though nothing that it has seen so far is wrong.
  const answer = { name: 'verdict', outcome: OUTCOMES[verdict], reason: '', diagnostics: [] };
  const reason = verdict === 'holds' ? '' : seen;
  return {
    name: patch === 'stock' ? name : `${name} with ${patch}`,
    subtests: [...own, { ...answer, reason }],
    diagnostics,
  };
}

const OUTCOMES: { readonly [Verdict in ReportMeta['verdict']]: KtapOutcome } = {
  holds: 'pass',
  broken: 'fail',
  unknown: 'error',
};
