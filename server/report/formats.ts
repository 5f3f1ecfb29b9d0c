/** Every form in which a run can be told, by the name that `--format` takes. All are made of one event log. */
import { drawn, raceDiagram } from './diagram.ts';
import type { FormatName } from './format-names.ts';
import { ftraceText } from './ftrace.ts';
import { htmlReport } from './html.ts';
import { ktapDocument } from './ktap.ts';
import { litmusBlock } from './litmus.ts';
import { pagemapText } from './pagemap.ts';
import { perfettoTrace } from './perfetto.ts';
import type { Renderer } from './report-meta.ts';
import { shivizLog } from './shiviz.ts';
import { splat } from './splat.ts';
import { timeSliceDiagram } from './timeslice.ts';
import { scenarioTests } from './verdict-tests.ts';

export interface Format {
  readonly render: Renderer;
  /** Of a file that holds it, without the dot. */
  readonly extension: 'txt' | 'json' | 'html';
  readonly contentType: string;
  /** What it is good for, in a few words. */
  readonly summary: string;
}

export const FORMATS: { readonly [Name in FormatName]: Format } = {
  litmus: text((_, { litmus }) => litmusBlock(litmus), 'the outcome block of herd7 and klitmus7'),
  diagram: text(
    (events, meta) => `${raceDiagram(events, drawn(meta))}\n`,
    'the race in columns, for a mail',
  ),
  timeslice: text(
    (events, meta) => `${timeSliceDiagram(events, drawn(meta))}\n`,
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
    (events, { setup = [] }) => pagemapText([...setup, ...events]),
    '/proc/PID/maps and pagemap at the end',
  ),
};

function text(render: Renderer, summary: string): Format {
  return { render, extension: 'txt', contentType: 'text/plain; charset=utf-8', summary };
}
