/** From far away: how many events there are in each lane, in columns of a few pixels. */
import { type Drawing, laneY } from './timeline-scene.ts';

const COLUMN = 4;
/** Steps of darkness. */
const STEPS = 5;

export function drawDensity(drawing: Drawing): void {
  const { pen, palette, viewport, sizes, lanes } = drawing;
  const columns = Math.ceil((viewport.width - sizes.gutterWidth) / COLUMN) + 1;
  const counts = countEvents(drawing, columns);
  const most = Math.log2(2 + (COLUMN / viewport.scale) * 0.6);
  const height = sizes.laneHeight * 0.4;
  pen.fillStyle = palette.marks.call;
  for (let lane = 0; lane < lanes.length; lane += 1) {
    const y = laneY(drawing, lane) - height / 2;
    let begun = 0;
    let level = 0;
    for (let column = 0; column <= columns; column += 1) {
      const count = column === columns ? 0 : (counts[lane * columns + column] ?? 0);
      const here = count === 0 ? 0 : Math.max(1, Math.round((Math.log2(1 + count) / most) * STEPS));
      if (here === level) continue;
      if (level > 0) {
        pen.globalAlpha = Math.min(1, 0.15 + (0.85 * level) / STEPS);
        pen.fillRect(sizes.gutterWidth + begun * COLUMN, y, (column - begun) * COLUMN, height);
      }
      begun = column;
      level = here;
    }
  }
  pen.globalAlpha = 1;
}

function countEvents(drawing: Drawing, columns: number): Uint32Array {
  const { history, first, last, blocks, laneOf, viewport, lanes } = drawing;
  const counts = new Uint32Array(lanes.length * columns);
  if (history.blocks.length === 0 || last < first) return counts;
  for (let at = history.blockAt(first); at <= history.blockAt(last); at += 1) {
    const block = history.blocks[at];
    if (block === undefined) continue;
    const start = block.events[0]?.n ?? 0;
    const to = Math.min(block.events.length - 1, last - start);
    for (let index = Math.max(0, first - start); index <= to; index += 1) {
      const lane = laneOf[block.lanes[index] ?? 0] ?? -1;
      if (lane < 0 || !blocks.wants(block, index)) continue;
      const column = Math.floor(((start + index - viewport.from) * viewport.scale) / COLUMN);
      if (column < 0 || column >= columns) continue;
      const place = lane * columns + column;
      counts[place] = (counts[place] ?? 0) + 1;
    }
  }
  return counts;
}
