/** Which pages are rows: those of VMAs as bands, and pages without a VMA that a device still maps. */
import { hexAddress, pageIndex } from '../../../server/vocabulary/address.ts';
import { MIRRORED_MM } from '../model/coherence.ts';
import type { LabModel } from '../model/lab-model.ts';
import type { SeenVma } from '../model/vmas.ts';

const HEAD_ROWS = 1;

/** A VMA of more pages than this shows only those that are mapped. */
export const BAND_ROWS_MAX = 65_536;

/** Neighbouring rows: a head, then the pages [first, end). */
export interface Band {
  readonly first: number;
  readonly end: number;
  /** The row of its head. */
  readonly row: number;
  /** 'stray': there is no VMA, but it is mapped. */
  readonly nature: 'vma' | 'stray';
  readonly title: string;
}

export interface RowLayout {
  readonly bands: readonly Band[];
  readonly rows: number;
}

export function rowLayout(model: LabModel): RowLayout {
  const vmas = model.vmas.filter(({ mm }) => mm === MIRRORED_MM);
  const pages = strayPages(model, vmas);
  const parts = [
    ...vmas.flatMap((vma) => bandsOfVma(model, vma)),
    ...runsOf(pages).map((run) => ({
      ...run,
      nature: 'stray' as const,
      title: 'no VMA any more, and still mapped by a device',
    })),
  ].sort((a, b) => a.first - b.first);
  let row = 0;
  const bands: Band[] = [];
  for (const part of parts) {
    bands.push({ ...part, row });
    row += HEAD_ROWS + part.end - part.first;
  }
  return { bands, rows: row };
}

/** What stands in a row: the head of a band, or one of its pages. */
export function rowAt(
  layout: RowLayout,
  row: number,
): { readonly page: number | 'head'; readonly band: Band } | 'none' {
  let low = 0;
  let high = layout.bands.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const band = layout.bands[middle];
    if (band === undefined) return 'none';
    if (row < band.row) high = middle - 1;
    else if (row >= band.row + HEAD_ROWS + band.end - band.first) low = middle + 1;
    else if (row === band.row) return { page: 'head', band };
    else return { page: band.first + row - band.row - HEAD_ROWS, band };
  }
  return 'none';
}

export function rowOfPage(layout: RowLayout, page: number): number | 'none' {
  const band = layout.bands.find(({ first, end }) => first <= page && page < end);
  return band === undefined ? 'none' : band.row + HEAD_ROWS + page - band.first;
}

function bandsOfVma(model: LabModel, vma: SeenVma): Omit<Band, 'row'>[] {
  const { first, end, prot, kind } = vma;
  const to = hexAddress(pageIndex(end));
  const what = [prot, kind].filter(Boolean).join(' ');
  const title = `${hexAddress(pageIndex(first))} to ${to}  ${what}`;
  if (end - first <= BAND_ROWS_MAX) return [{ first, end, nature: 'vma', title }];
  const mapped = new Set<number>();
  for (const page of mappedPages(model)) if (first <= page && page < end) mapped.add(page);
  const more = `${title} (${end - first} pages; those in use)`;
  return runsOf(mapped.size === 0 ? new Set([first]) : mapped).map((run) => ({
    ...run,
    nature: 'vma',
    title: more,
  }));
}

function strayPages(model: LabModel, vmas: readonly SeenVma[]): Set<number> {
  const found = new Set<number>();
  for (const page of mappedPages(model)) {
    if (!vmas.some(({ first, end }) => first <= page && page < end)) found.add(page);
  }
  return found;
}

function* mappedPages(model: LabModel): Iterable<number> {
  yield* model.cpu.get(MIRRORED_MM)?.keys() ?? [];
  for (const table of model.devices.values()) yield* table.keys();
}

function runsOf(pages: ReadonlySet<number>): { first: number; end: number }[] {
  const runs: { first: number; end: number }[] = [];
  for (const page of [...pages].sort((a, b) => a - b)) {
    const last = runs.at(-1);
    if (last?.end === page) last.end = page + 1;
    else runs.push({ first: page, end: page + 1 });
  }
  return runs;
}
