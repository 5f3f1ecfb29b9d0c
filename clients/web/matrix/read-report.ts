/** What `mmrace shapes --json` or `mmrace verdict --shapes --json` has printed, out of a file. */
import type { CatalogueReport } from '../../../server/report/catalogue.ts';

/** 'none': the text is no such report. */
export function readReport(text: string): CatalogueReport | 'none' {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return 'none';
  }
  const found = isReport(json) ? json : (json as { readonly shapes?: unknown } | null)?.shapes;
  return isReport(found) ? found : 'none';
}

function isReport(json: unknown): json is CatalogueReport {
  if (typeof json !== 'object' || json === null) return false;
  const { matrix, found, unknown, notTried, verdict } = json as Partial<CatalogueReport>;
  return (
    typeof verdict === 'string' &&
    Array.isArray(matrix) &&
    matrix.every(({ operations, counts }) => Array.isArray(operations) && counts !== undefined) &&
    Array.isArray(found) &&
    Array.isArray(unknown) &&
    notTried !== undefined
  );
}

/** In the order of the catalogue, as far as the cells say. */
export function operationsOf({ matrix }: Pick<CatalogueReport, 'matrix'>): readonly string[] {
  const alone = matrix.filter(({ operations }) => operations.length === 1);
  const cells = alone.length > 0 ? alone : matrix;
  return [...new Set(cells.flatMap(({ operations }) => operations))];
}
