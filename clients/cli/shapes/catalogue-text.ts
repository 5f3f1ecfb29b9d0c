/** The answer of the catalogue of shapes, in words. */

import type { CatalogueReport, ReportedShape } from '../../../server/report/catalogue.ts';
import { counted } from '../../../server/report/lines/counted.ts';
import { wrapText } from '../../../server/report/lines/wrap-text.ts';
import { matrixText } from '../../../server/verify/shapes/shape-matrix.ts';
import { SHAPE_OPERATIONS } from '../../../server/verify/shapes/shape-operations.ts';

const COLUMNS_MAX = 75;
/** Shapes that are written out. */
const SHOWN_MAX = 5;

export function catalogueText(report: CatalogueReport): string {
  const { sizes, kernel, before, after, shapes, asked, counts, verdict } = report;
  const compared = before === after ? after : `${after}, before it ${before}`;
  const all = Object.entries(counts).filter(([, count]) => count > 0);
  return [
    `shapes of ${sizes.join(' and ')}: ${verdict} (kernel ${[compared, kernel].join(' ').trim()})`,
    `  ${asked} of ${counted(shapes, 'shape')} asked; ${all.map(([word, count]) => `${word} ${count}`).join(', ')}`,
    ...shown('Smallest in which it went wrong', report.found),
    ...shown('Unknown', report.unknown),
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
