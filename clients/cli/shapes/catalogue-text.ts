/** The answer of the catalogue of shapes, in words. */

import type { CatalogueReport, ReportedShape } from '../../../server/report/catalogue.ts';
import { counted } from '../../../server/report/lines/counted.ts';
import { wrapText } from '../../../server/report/lines/wrap-text.ts';
import { matrixText } from '../../../server/verify/shapes/shape-matrix.ts';
import { SHAPE_OPERATIONS } from '../../../server/verify/shapes/shape-operations.ts';

const COLUMNS_MAX = 75;
/** Shapes that are written out. */
const SHOWN_MAX = 5;
/** Operations and memories that are counted. */
const MOST_MAX = 8;
/** A budget that is worth trying next. */
const LARGER = 10;

export function catalogueText(report: CatalogueReport): string {
  const { sizes, kernel, before, after, shapes, asked, counts, verdict } = report;
  const compared = before === after ? after : `${after}, before it ${before}`;
  const all = Object.entries(counts).filter(([, count]) => count > 0);
  return [
    `shapes of ${sizes.join(' and ')}: ${verdict} (kernel ${[compared, kernel].join(' ').trim()})`,
    `  ${asked} of ${counted(shapes, 'shape')} asked; ${all.map(([word, count]) => `${word} ${count}`).join(', ')}`,
    ...shown('Smallest in which it went wrong', report.found),
    ...shown('Unknown', report.unknown),
    ...whereUnknown(report),
    '',
    matrixText(
      report.matrix,
      SHAPE_OPERATIONS.map(({ id }) => id),
    ),
    '',
    ...notTried(report),
  ].join('\n');
}

function shown(title: string, shapes: readonly ReportedShape[]): string[] {
  if (shapes.length === 0) return [];
  const more = shapes.length - SHOWN_MAX;
  return [
    `${title}:`,
    ...shapes.slice(0, SHOWN_MAX).map(({ name, why }) => `  ${name}  ${why}`),
    ...(more > 0 ? [`  and ${more} more`] : []),
    ...shapes
      .slice(0, 1)
      .map(({ name }) => `  mmrace shapes --show ${name}   prints it as a scenario`),
  ];
}

/** Operations and memories that most of the unknown shapes have: what a larger budget is needed for. */
function whereUnknown({ unknown, notTried: { budgetExecutions } }: CatalogueReport): string[] {
  if (unknown.length <= SHOWN_MAX) return [];
  const parts = unknown.map(({ name }) => {
    const [memory = '', operations = ''] = name.split(':');
    return { memory, operations: [...new Set(operations.split('+'))] };
  });
  const lines = [
    `with ${mostOf(parts.flatMap((one) => one.operations))}`,
    `in ${mostOf(parts.map((one) => one.memory))}`,
    `--shape-executions ${budgetExecutions * LARGER} asks these alone again`,
  ];
  return lines.flatMap((line) => wrapText(line, COLUMNS_MAX).map((one) => `  ${one}`));
}

/** `migrate 12, fork 3`: the most frequent first. */
function mostOf(words: readonly string[]): string {
  const counts = [...Map.groupBy(words, (word) => word)].map(
    ([word, all]) => [word, all.length] as const,
  );
  const most = counts.toSorted((a, b) => b[1] - a[1] || a[0].localeCompare(b[0]));
  const more = most.length - MOST_MAX;
  const text = most.slice(0, MOST_MAX).map(([word, count]) => `${word} ${count}`);
  return [...text, ...(more > 0 ? [`${more} others`] : [])].join(', ');
}

function notTried({ notTried: not }: CatalogueReport): string[] {
  const parts = [
    ...(not.shapes > 0 ? [`${counted(not.shapes, 'shape')} that the limits left`] : []),
    ...(not.beyondBudget > 0
      ? [
          `the rest of ${counted(not.beyondBudget, 'shape')} behind ${not.budgetExecutions} executions`,
        ]
      : []),
    ...not.lines.map(
      ({ file, lines }) =>
        `${counted(lines.length, 'line')} of ${file} that no shape reaches (${lines.join(', ')})`,
    ),
    `operations without a shape (${not.operations.join(', ')})`,
    ...not.features,
  ];
  return wrapText(`Not tried: ${parts.join('; ')}.`, COLUMNS_MAX);
}
