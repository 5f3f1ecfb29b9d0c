/** Where rows and columns of the memory view are, in CSS pixels. */
import type { Column } from './columns.ts';

/** Sizes that change with the type size: 1 is the page's normal one. */
export interface MemorySizes {
  readonly rowHeight: number;
  readonly headHeight: number;
  readonly gutterWidth: number;
  readonly columnWidthMin: number;
  readonly columnWidthMax: number;
  readonly font: number;
}

/** Of few rows, each is larger: what there is to see is to be seen from afar. */
const GROWTH_MAX = 1.6;
const ROW_PIXELS = 26;
/** A gutter and three columns: what is to be seen beside each other at least. */
const NARROW_PIXELS = 480;

/** What there is to show, and the room for it in pixels. */
export interface MemoryRoom {
  readonly rows: number;
  readonly width: number;
  readonly height: number;
}

/** `type` is 1 at a desk; `room` is what there is to show and where. */
export function memorySizes(type: number, room: MemoryRoom | 'any' = 'any'): MemorySizes {
  const scale = type * (room === 'any' ? 1 : growth(type, room));
  return {
    rowHeight: Math.round(ROW_PIXELS * scale),
    headHeight: Math.round(34 * scale),
    gutterWidth: Math.round(138 * scale),
    columnWidthMin: Math.round(112 * scale),
    columnWidthMax: Math.round(210 * scale),
    font: Math.round(13 * scale),
  };
}

export interface MemoryViewport {
  readonly width: number;
  readonly height: number;
  readonly scrollTop: number;
  readonly scrollLeft: number;
}

export function columnWidth(sizes: MemorySizes, columns: readonly Column[], width: number): number {
  const room = (width - sizes.gutterWidth) / Math.max(1, columns.length);
  return Math.floor(Math.max(sizes.columnWidthMin, Math.min(sizes.columnWidthMax, room)));
}

export interface MemoryPlace {
  readonly row: number;
  /** -1 in the gutter. */
  readonly column: number;
}

/** What is at a point of the canvas; 'none' in the head and beside the table. */
export function placeAt(
  point: { readonly x: number; readonly y: number },
  viewport: MemoryViewport,
  sizes: MemorySizes,
  table: { readonly rows: number; readonly columns: readonly Column[] },
): MemoryPlace | 'none' {
  if (point.y < sizes.headHeight) return 'none';
  const row = Math.floor((point.y - sizes.headHeight + viewport.scrollTop) / sizes.rowHeight);
  if (row < 0 || row >= table.rows) return 'none';
  if (point.x < sizes.gutterWidth) return { row, column: -1 };
  const width = columnWidth(sizes, table.columns, viewport.width);
  const column = Math.floor((point.x - sizes.gutterWidth + viewport.scrollLeft) / width);
  return column < table.columns.length ? { row, column } : 'none';
}

function growth(type: number, { rows, width, height }: MemoryRoom): number {
  const byHeight = height / (ROW_PIXELS * type * (rows + 2));
  const byWidth = width / (NARROW_PIXELS * type);
  return Math.max(1, Math.min(GROWTH_MAX, byHeight, byWidth));
}
