/** What stands around the events: the axis above, the names of the lanes to the left. */
import { fitted, MONO, SANS } from '../style/pen.ts';
import { type Drawing, laneY } from './timeline-scene.ts';
import { SMALL, visibleEvents, xOf } from './viewport.ts';

const TICKS = [1, 2, 5, 10, 20, 50, 100, 200, 500];

export function drawAxis({ pen, palette, viewport, sizes, selected }: Drawing): void {
  pen.fillStyle = palette.raised;
  pen.fillRect(0, 0, viewport.width, sizes.axisHeight);
  pen.font = `${Math.round(sizes.font * SMALL)}px ${MONO}`;
  pen.textAlign = 'center';
  const step = tickStep(70 / viewport.scale);
  const start = Math.max(step, Math.ceil(viewport.from / step) * step);
  const end = viewport.from + visibleEvents(viewport, sizes);
  for (let n = start; n <= end; n += step) {
    const x = xOf(viewport, sizes, n);
    pen.fillStyle = palette.line;
    pen.fillRect(x, sizes.axisHeight - 5, 1, 5);
    pen.fillStyle = palette.quiet;
    pen.fillText(String(n), x, sizes.axisHeight / 2);
  }
  if (selected !== 'live') {
    const x = xOf(viewport, sizes, selected);
    const width = String(selected).length * sizes.font * 0.65 + 12;
    pen.fillStyle = palette.focus;
    pen.fillRect(x - width / 2, 2, width, sizes.axisHeight - 4);
    pen.fillStyle = palette.ground;
    pen.fillText(String(selected), x, sizes.axisHeight / 2);
  }
  pen.fillStyle = palette.line;
  pen.fillRect(0, sizes.axisHeight - 1, viewport.width, 1);
}

/** The least nice number that is not below `least`. */
function tickStep(least: number): number {
  for (let power = 1; ; power *= 1_000) {
    const step = TICKS.find((tick) => tick * power >= least);
    if (step !== undefined) return step * power;
  }
}

export function drawGutter(drawing: Drawing): void {
  const { pen, palette, sizes, lanes, viewport } = drawing;
  pen.fillStyle = palette.raised;
  pen.fillRect(0, 0, sizes.gutterWidth - 1, viewport.height);
  pen.fillStyle = palette.line;
  pen.fillRect(sizes.gutterWidth - 1, 0, 1, viewport.height);
  pen.textAlign = 'left';
  for (const [at, lane] of lanes.entries()) {
    const y = laneY(drawing, at);
    if (y < sizes.axisHeight) continue;
    pen.font = `700 ${sizes.font}px ${SANS}`;
    pen.fillStyle = lane.role === 'kernel' ? palette.quiet : palette.ink;
    const glyph = { cpu: '▢', kernel: '⬡', device: '○' }[lane.role];
    pen.fillText(fitted(`${glyph} ${lane.name}`, sizes.gutterWidth - 12, sizes.font), 8, y);
  }
  pen.fillStyle = palette.raised;
  pen.fillRect(0, 0, sizes.gutterWidth - 1, sizes.axisHeight - 1);
  pen.fillStyle = palette.quiet;
  pen.font = `600 ${sizes.font}px ${SANS}`;
  pen.fillText('event', 8, sizes.axisHeight / 2);
}
