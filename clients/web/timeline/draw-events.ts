/** From near by: a mark for each event, a slanted line for each message, words where there is room. */
import type { Event } from '../../../server/abi/event.ts';
import type { EventBlock } from '../model/event-history.ts';
import { MARKS } from '../model/event-marks.ts';
import { violationWords } from '../model/harm.ts';
import { fitted, MONO } from '../style/pen.ts';
import { drawMark } from './draw-mark.ts';
import { eventLabel } from './event-label.ts';
import { type Drawing, laneY } from './timeline-scene.ts';
import { SMALL, xOf } from './viewport.ts';

/** Longest reach of a slanted line to the right, in pixels. */
const SLANT_MAX = 26;
/** From this many pixels an event on there are words beside the marks. */
const LABELS_FROM = 16;
/** The size of the mark of a rule whose break has harmed nobody. */
const QUIETER = 0.7;

export function drawEvents(drawing: Drawing): void {
  const { history } = drawing;
  const labels = new LaneLabels(drawing);
  eachSeen(drawing, (event, lane) => drawMessage(drawing, event, lane));
  eachSeen(drawing, (event, lane, mark) => {
    const x = xOf(drawing.viewport, drawing.sizes, event.n);
    const isQuiet = history.quiet.has(event.n);
    const size = Math.min(5.5, 2.5 + drawing.viewport.scale / 5) * (drawing.sizes.font / 12);
    drawMark(drawing.pen, drawing.palette, {
      x,
      y: laneY(drawing, lane),
      size: isQuiet ? size * QUIETER : size,
      event,
      colour: isQuiet ? drawing.palette.quiet : drawing.palette.marks[MARKS[mark] ?? 'life'],
    });
    labels.add(lane, x, event);
  });
  // What would reach beyond the edge is shortened.
  const edge = drawing.viewport.width + 10;
  labels.end(Math.min(xOf(drawing.viewport, drawing.sizes, history.last) + 400, edge));
}

function eachSeen(
  { history, first, last, blocks, laneOf }: Drawing,
  visit: (event: Event, lane: number, mark: number) => void,
): void {
  if (history.blocks.length === 0 || last < first) return;
  for (let at = history.blockAt(first); at <= history.blockAt(last); at += 1) {
    const block = history.blocks[at] as EventBlock;
    const start = block.events[0]?.n ?? 0;
    const from = Math.max(0, first - start);
    const to = Math.min(block.events.length - 1, last - start);
    for (let index = from; index <= to; index += 1) {
      const event = block.events[index];
      const lane = laneOf[block.lanes[index] ?? 0] ?? -1;
      if (event === undefined || lane < 0 || !blocks.wants(block, index)) continue;
      visit(event, lane, block.marks[index] ?? 0);
    }
  }
}

/** A call goes to the kernel and a return comes back; a question goes to the device and its answer comes back. */
function drawMessage(drawing: Drawing, event: Event, lane: number): void {
  const { kernel, history, laneOf } = drawing;
  switch (event.kind) {
    case 'call':
      drawSlant(drawing, event.n, lane, kernel);
      break;
    case 'return':
      drawSlant(drawing, event.n, kernel, lane);
      break;
    case 'callback':
      drawSlant(drawing, event.n, kernel, laneOf[history.actors.indexOf(event.device)] ?? -1);
      break;
    case 'callback-return':
      drawSlant(drawing, event.n, lane, kernel);
      break;
    default:
  }
}

function drawSlant(drawing: Drawing, n: number, from: number, to: number): void {
  const { pen, palette, viewport, sizes, kernel } = drawing;
  if (from < 0 || to < 0 || from === to) return;
  const reach = Math.min(SLANT_MAX, viewport.scale * 0.85);
  const toKernel = to === kernel;
  const x = xOf(viewport, sizes, n) - (toKernel ? 0 : reach);
  const down = to > from ? 1 : -1;
  const y = laneY(drawing, from);
  const endX = x + reach;
  const endY = laneY(drawing, to) - down * 3;
  pen.strokeStyle = palette.quiet;
  pen.lineWidth = 1;
  pen.beginPath();
  pen.moveTo(x, y);
  pen.lineTo(endX, endY);
  pen.stroke();
  if (viewport.scale < 8) return;
  pen.fillStyle = palette.quiet;
  pen.beginPath();
  pen.moveTo(endX, endY);
  pen.lineTo(endX - 5, endY - down * 6);
  pen.lineTo(endX + 2, endY - down * 7);
  pen.closePath();
  pen.fill();
}

/** Words beside marks, as long as the next mark of the lane leaves room for. */
class LaneLabels {
  readonly #drawing: Drawing;
  readonly #waiting = new Map<number, { readonly x: number; readonly event: Event }>();

  constructor(drawing: Drawing) {
    this.#drawing = drawing;
  }

  add(lane: number, x: number, event: Event): void {
    if (this.#drawing.viewport.scale < LABELS_FROM) return;
    this.#write(lane, x);
    if (event.kind !== 'lock' && event.kind !== 'unlock') this.#waiting.set(lane, { x, event });
  }

  end(x: number): void {
    for (const lane of [...this.#waiting.keys()]) this.#write(lane, x);
  }

  #write(lane: number, nextX: number): void {
    const waiting = this.#waiting.get(lane);
    if (waiting === undefined) return;
    this.#waiting.delete(lane);
    const { pen, palette, sizes } = this.#drawing;
    const size = Math.round(sizes.font * SMALL);
    const room = nextX - waiting.x - 16;
    const { event } = waiting;
    const harm = this.#drawing.history.harmOf(event.n);
    const words = event.kind === 'violation' ? violationWords(event, harm) : eventLabel(event);
    const text = fitted(words, room, size);
    if (text.length < 4) return;
    pen.font = `${size}px ${MONO}`;
    pen.textAlign = 'left';
    pen.fillStyle = event.kind === 'violation' && harm === 'done' ? palette.alarm : palette.ink;
    pen.fillText(text, waiting.x + 9, laneY(this.#drawing, lane) + size * 0.85);
  }
}
