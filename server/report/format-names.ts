/** The forms in which a run can be shown, by the name that `--format` takes. */
export const FORMAT_NAMES = [
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

export type FormatName = (typeof FORMAT_NAMES)[number];

export function isFormatName(name: string): name is FormatName {
  return FORMAT_NAMES.some((known) => known === name);
}
