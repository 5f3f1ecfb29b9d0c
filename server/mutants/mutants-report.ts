/** What became of the mutants, as a value and as text. */
import type { CaughtBy, MutantAnswer } from './campaign.ts';
import type { Mutant } from './mutants.ts';

/** Of those that can be found at all. */
export const SHARE_WANTED = 0.95;

export interface MutantsReport {
  readonly mutants: number;
  /** Those that nothing can find. */
  readonly equivalent: number;
  readonly caught: Readonly<Record<Exclude<CaughtBy, 'none'>, number>>;
  /** Of those that can be found. */
  readonly share: number;
  readonly enough: boolean;
  readonly answers: readonly MutantAnswer[];
  readonly living: readonly { readonly id: string; readonly what: string; readonly why: string }[];
}

export function reportOf(
  mutants: readonly Mutant[],
  answers: readonly MutantAnswer[],
): MutantsReport {
  const count = (by: CaughtBy) => answers.filter(({ caught }) => caught === by).length;
  const byId = new Map(mutants.map((mutant) => [mutant.id, mutant]));
  const living = answers
    .filter(({ caught }) => caught === 'none')
    .flatMap(({ id }) => {
      const mutant = byId.get(id);
      if (mutant === undefined) return [];
      return [{ id, what: mutant.what, why: mutant.equivalent ?? mutant.lives ?? 'not caught' }];
    });
  const equivalent = living.filter(({ id }) => byId.get(id)?.equivalent !== undefined).length;
  const caught = {
    recordings: count('recordings'),
    scenarios: count('scenarios'),
    shapes: count('shapes'),
  };
  const found = caught.recordings + caught.scenarios + caught.shapes;
  const share = found / Math.max(1, answers.length - equivalent);
  const enough = share >= SHARE_WANTED;
  return { mutants: answers.length, equivalent, caught, share, enough, answers, living };
}

export function textOf(report: MutantsReport): string {
  const { mutants, equivalent, caught, share, answers, living } = report;
  const width = Math.max(0, ...answers.map(({ id }) => id.length));
  const lines = answers.map(({ id, caught: by, how, seconds }) => {
    const where = by === 'none' ? 'lives' : by;
    return `${id.padEnd(width)}  ${where.padEnd(10)} ${seconds.toFixed(1).padStart(6)} s  ${how}`;
  });
  const found = caught.recordings + caught.scenarios + caught.shapes;
  return [
    ...lines.map((one) => one.trimEnd()),
    '',
    `${found} of ${mutants - equivalent} that can be found are (${(100 * share).toFixed(1)} %):`,
    `  recordings ${caught.recordings}, scenarios ${caught.scenarios}, shapes ${caught.shapes}`,
    ...(living.length === 0 ? [] : ['', 'Those that live:']),
    ...living.map(({ id, what, why }) => `  ${id}: ${what} ${why}`),
    '',
  ].join('\n');
}

/** A line for each answer, as `npm run mutants` keeps them. */
export function savedText(answers: readonly MutantAnswer[]): string {
  return answers.map((answer) => `${JSON.stringify(answer)}\n`).join('');
}

const HEAD = [
  '| where | asked, not equivalent | found | by recordings | by scenarios | by shapes | live | seconds: median, most |',
  '|---|---|---|---|---|---|---|---|',
];

/** What became of them in a run, as Markdown: for the kernel and for the drivers. */
export function mutantsTable(mutants: readonly Mutant[], answers: readonly MutantAnswer[]): string {
  const places = [
    { name: 'kernel', folder: 'server/kernel/' },
    { name: 'drivers', folder: 'clients/drivers/' },
  ];
  const rows = places.flatMap(({ name, folder }) => {
    const here = mutants.filter(({ file }) => file.startsWith(folder));
    const ids = new Set(here.map(({ id }) => id));
    const asked = answers.filter(({ id }) => ids.has(id));
    return asked.length === 0 ? [] : [rowOf(name, here, asked)];
  });
  const { living, equivalent } = reportOf(mutants, answers);
  const byId = new Map(mutants.map((mutant) => [mutant.id, mutant]));
  const lines = living
    .filter(({ id }) => byId.get(id)?.equivalent === undefined)
    .map(({ id, what, why }) => `- ${id}: ${what} ${why.trim()}`);
  return [
    ...HEAD,
    ...rows,
    '',
    `Of ${mutants.length} in the lists the run has asked ${answers.length}, of which ${equivalent} are ` +
      'equivalent to what stands there.',
    ...(lines.length === 0 ? ['None of the others lives.'] : ['Those that live:', '', ...lines]),
  ].join('\n');
}

function rowOf(name: string, mutants: readonly Mutant[], answers: readonly MutantAnswer[]): string {
  const { mutants: all, equivalent, caught, share, living } = reportOf(mutants, answers);
  const found = answers.filter((one) => one.caught !== 'none');
  const seconds = found.map((one) => one.seconds).sort((a, b) => a - b);
  const cells = [
    name,
    all - equivalent,
    `${found.length} (${(100 * share).toFixed(1)} %)`,
    caught.recordings,
    caught.scenarios,
    caught.shapes,
    living.length - equivalent,
    `${seconds[Math.floor(seconds.length / 2)] ?? 0}, ${seconds.at(-1) ?? 0}`,
  ];
  return `| ${cells.join(' | ')} |`;
}
