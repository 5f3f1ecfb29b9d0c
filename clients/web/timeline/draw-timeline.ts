/** Draws the space-time diagram: a pure function of the events, what is seen of them, and what is selected. */
import { violationWords } from '../model/harm.ts';
import { fitted, type Pen, SANS } from '../style/pen.ts';
import { drawDensity } from './draw-density.ts';
import { drawEvents } from './draw-events.ts';
import { drawAxis, drawGutter } from './draw-frame.ts';
import { drawSpans } from './draw-spans.ts';
import { KERNEL_LANE, laneOfActor } from './lanes.ts';
import { type Drawing, laneY, type TimelineScene } from './timeline-scene.ts';
import { DENSITY_BELOW, visibleEvents, xOf } from './viewport.ts';

/** Flags of violations that would cover each other stand below each other. */
const FLAG_ROWS = 4;

export function drawTimeline(pen: Pen, scene: TimelineScene): void {
  const { viewport, sizes, palette, history, lanes } = scene;
  const first = Math.max(history.first, Math.floor(viewport.from) - 1);
  const seen = Math.ceil(visibleEvents(viewport, sizes));
  const drawing: Drawing = {
    ...scene,
    pen,
    laneOf: laneOfActor(history, lanes),
    kernel: lanes.indexOf(KERNEL_LANE),
    first,
    last: Math.min(history.last, Math.floor(viewport.from) + seen + 1),
  };
  pen.fillStyle = palette.ground;
  pen.fillRect(0, 0, viewport.width, viewport.height);
  pen.textBaseline = 'middle';
  pen.save();
  pen.beginPath();
  pen.rect(sizes.gutterWidth, sizes.axisHeight, viewport.width, viewport.height);
  pen.clip();
  drawLaneLines(drawing);
  drawForgotten(drawing);
  drawSpans(drawing);
  if (viewport.scale < DENSITY_BELOW) drawDensity(drawing);
  else drawEvents(drawing);
  drawMilestones(drawing);
  drawViolations(drawing);
  drawSelection(drawing);
  pen.restore();
  drawAxis(drawing);
  drawGutter(drawing);
}

function drawLaneLines(drawing: Drawing): void {
  const { pen, palette, lanes, viewport, sizes } = drawing;
  for (const [at, lane] of lanes.entries()) {
    const y = laneY(drawing, at);
    if (lane.role === 'kernel') {
      pen.fillStyle = palette.raised;
      pen.fillRect(0, y - sizes.laneHeight / 2, viewport.width, sizes.laneHeight);
    }
    pen.fillStyle = palette.line;
    pen.fillRect(sizes.gutterWidth, y, viewport.width, 1);
  }
}

/** What happened before the page's memory begins. */
function drawForgotten(drawing: Drawing): void {
  const { pen, palette, viewport, sizes, history } = drawing;
  const edge = xOf(viewport, sizes, history.first) - viewport.scale / 2;
  if (history.first <= 1 || edge <= sizes.gutterWidth) return;
  pen.fillStyle = palette.raised;
  pen.fillRect(sizes.gutterWidth, sizes.axisHeight, edge - sizes.gutterWidth, viewport.height);
  pen.fillStyle = palette.quiet;
  pen.font = `${sizes.font}px ${SANS}`;
  pen.textAlign = 'right';
  const words = `events 1 to ${history.first - 1} were before this page looked`;
  pen.fillText(
    fitted(words, edge - sizes.gutterWidth - 16, sizes.font),
    edge - 8,
    sizes.axisHeight + 14,
  );
}

function drawMilestones({ pen, palette, milestones, viewport, sizes }: Drawing): void {
  for (const [at, { n, label }] of milestones.entries()) {
    const x = xOf(viewport, sizes, n) + viewport.scale / 2;
    pen.strokeStyle = palette.ink;
    pen.lineWidth = 2;
    pen.setLineDash([7, 5]);
    pen.beginPath();
    pen.moveTo(x, sizes.axisHeight);
    pen.lineTo(x, viewport.height);
    pen.stroke();
    pen.setLineDash([]);
    pen.fillStyle = palette.ink;
    pen.font = `700 ${sizes.font}px ${SANS}`;
    const isLeft = x > viewport.width * 0.6;
    pen.textAlign = isLeft ? 'right' : 'left';
    pen.fillText(label, isLeft ? x - 6 : x + 6, viewport.height - 10 - at * sizes.font * 1.5);
  }
}

function drawViolations(drawing: Drawing): void {
  const { pen, palette, viewport, sizes, history, first, last } = drawing;
  let before = Number.NEGATIVE_INFINITY;
  let flagEnd = Number.NEGATIVE_INFINITY;
  let row = 0;
  for (const violation of history.violations) {
    const { n } = violation;
    if (n < first || n > last || history.quiet.has(n)) continue;
    const words = violationWords(violation, 'done');
    const x = xOf(viewport, sizes, n);
    if (x - before < 3) continue;
    before = x;
    pen.fillStyle = palette.alarm;
    pen.globalAlpha = 0.6;
    pen.fillRect(x - 0.75, sizes.axisHeight, 1.5, viewport.height);
    pen.globalAlpha = 1;
    const width = words.length * sizes.font * 0.65 + 10;
    row = x < flagEnd ? (row + 1) % FLAG_ROWS : 0;
    flagEnd = x + width + 2;
    const top = sizes.axisHeight + 1 + row * (sizes.font + 5);
    // At the edge it stands on the other side of its line: no label is clipped.
    const left = x + width > viewport.width ? x - width : x;
    pen.fillRect(left, top, width, sizes.font + 4);
    pen.fillStyle = palette.onAlarm;
    pen.font = `700 ${sizes.font}px ${SANS}`;
    pen.textAlign = 'left';
    pen.fillText(words, left + 4, top + sizes.font / 2 + 2.5);
  }
}

function drawSelection({ pen, palette, viewport, sizes, selected }: Drawing): void {
  if (selected === 'live') return;
  const x = xOf(viewport, sizes, selected);
  pen.fillStyle = palette.focus;
  pen.globalAlpha = 0.14;
  pen.fillRect(
    x - Math.max(4, viewport.scale / 2),
    sizes.axisHeight,
    Math.max(8, viewport.scale),
    viewport.height,
  );
  pen.globalAlpha = 1;
  pen.fillRect(x - 1, sizes.axisHeight, 2, viewport.height);
}
