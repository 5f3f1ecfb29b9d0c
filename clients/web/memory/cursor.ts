/** Where the cursor of the memory view goes next. */
import { staleCells } from '../model/coherence.ts';
import type { MemoryPlace } from './geometry.ts';
import { rowOfPage } from './row-layout.ts';
import type { Seen } from './seen-memory.ts';

/** 'none' for a key that moves nothing. */
export function nextPlace(key: string, seen: Seen, here: MemoryPlace): MemoryPlace | 'none' {
  const next = placeBehind(key, seen, here);
  if (next === 'none') return next;
  return {
    row: Math.max(0, Math.min(seen.layout.rows - 1, next.row)),
    column: Math.max(0, Math.min(seen.columns.length - 1, next.column)),
  };
}

function placeBehind(key: string, seen: Seen, here: MemoryPlace): MemoryPlace | 'none' {
  const { row, column } = here;
  switch (key) {
    case 'ArrowDown':
      return { row: row + 1, column };
    case 'ArrowUp':
      return { row: row - 1, column };
    case 'ArrowRight':
      return { row, column: column + 1 };
    case 'ArrowLeft':
      return { row, column: column - 1 };
    case 'PageDown':
      return { row: row + 16, column };
    case 'PageUp':
      return { row: row - 16, column };
    case 'x':
      return nextStale(seen, here);
    default:
      return 'none';
  }
}

/** The next stale cell behind `here`, or the first one. */
function nextStale({ model, layout, columns }: Seen, here: MemoryPlace): MemoryPlace | 'none' {
  const places = staleCells(model).flatMap(({ device, page }) => {
    const row = rowOfPage(layout, page);
    const column = columns.findIndex(({ name, side }) => side === 'device' && name === device);
    return row === 'none' || column < 0 ? [] : [{ row, column }];
  });
  const behind = ({ row, column }: MemoryPlace) =>
    row > here.row || (row === here.row && column > here.column);
  return places.find(behind) ?? places[0] ?? 'none';
}
