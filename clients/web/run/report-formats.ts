/** The forms of a report that the server renders; a test holds them against server/lab/report/formats.ts. */
export const REPORT_FORMATS = [
  'litmus',
  'diagram',
  'timeslice',
  'ktap',
  'splat',
  'ftrace',
  'perfetto',
  'shiviz',
  'html',
  'pagemap',
] as const;
