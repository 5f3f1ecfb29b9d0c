/** What the catalogue says of a kernel, and what it does not say. */
import { DMIRROR_VERBS } from '../../../clients/drivers/dmirror/dmirror-verb.ts';
import { CPU_CALL_NAMES } from '../../abi/cpu-calls.ts';
import { DEFAULT_KERNEL } from '../../abi/kernel-ids.ts';
import type { CatalogueReport, MissedLines, ReportedShape } from '../../report/catalogue.ts';
import type { AskedChoice } from '../../scenario/explore-request.ts';
import { LAB_OPS } from '../../scenario/op-schema.ts';
import type { CatalogueQuestion, ShapeAnswer } from './ask-catalogue.ts';
import { matrixOf } from './shape-matrix.ts';
import { SHAPE_MEMORIES } from './shape-memory.ts';
import { NOT_IN_SHAPES, SHAPE_OPERATIONS } from './shape-operations.ts';

export function catalogueReport(
  question: CatalogueQuestion,
  answers: readonly ShapeAnswer[],
  missed: readonly MissedLines[] = [],
): CatalogueReport {
  const { before, after, shapes } = question;
  const counts = countsOf(answers);
  const isAlone = JSON.stringify(before) === JSON.stringify(after);
  const found = answers.filter(({ word }) => word === (isAlone ? 'broken' : 'appeared'));
  const reached = answers.length - counts['not reached'];
  const complete =
    answers.length === shapes.length && counts.unknown === 0 && reached > 0 && missed.length === 0;
  const unbroken = complete ? 'holds' : 'unknown';
  return {
    before: sideText(before),
    after: sideText(after),
    kernel: after.kernel ?? DEFAULT_KERNEL,
    verdict: found.length > 0 ? 'broken' : unbroken,
    sizes: [...new Set(shapes.map(({ operations }) => operations.length))].sort(),
    shapes: shapes.length,
    asked: answers.length,
    counts,
    executions: answers.reduce((sum, { executions }) => sum + executions, 0),
    found: found.toSorted(bySize).map(reported),
    unknown: answers
      .filter(({ word }) => word === 'unknown')
      .toSorted(bySize)
      .map(reported),
    matrix: matrixOf(shapes, answers),
    notTried: {
      shapes: shapes.length - answers.length,
      beyondBudget: counts.unknown,
      budgetExecutions: question.executions,
      operations: operationsWithoutShape(),
      features: NOT_IN_SHAPES,
      lines: missed,
    },
  };
}

function sideText({ patch, drivers }: AskedChoice): string {
  return [patch, ...drivers.map((driver) => `driver ${driver}`)].join(', ');
}

function countsOf(answers: readonly ShapeAnswer[]): CatalogueReport['counts'] {
  const counts = { holds: 0, appeared: 0, broken: 0, unknown: 0, 'not reached': 0 };
  for (const { word } of answers) counts[word] += 1;
  return counts;
}

function bySize(a: ShapeAnswer, b: ShapeAnswer): number {
  return a.shape.operations.length - b.shape.operations.length || a.executions - b.executions;
}

function reported({ shape, word, executions, why }: ShapeAnswer): ReportedShape {
  return { name: shape.name, word, executions, why };
}

/** Sorted. */
export function operationsWithoutShape(): string[] {
  const [place] = SHAPE_MEMORIES;
  if (place === undefined) throw new RangeError('there are no memories');
  const done = new Set(
    SHAPE_OPERATIONS.flatMap(({ program }) => program(place, 0).map((op) => op.do as string)),
  );
  const all = [...CPU_CALL_NAMES, ...Object.keys(DMIRROR_VERBS), ...LAB_OPS];
  return all.filter((name) => !done.has(name)).sort();
}
