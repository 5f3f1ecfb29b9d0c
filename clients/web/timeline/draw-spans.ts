/** What lasts: bars for calls and locks, brackets, migrations behind everything. */
import type { EventSpan } from '../model/spans.ts';
import { fitted, MONO } from '../style/pen.ts';
import { type Drawing, laneY } from './timeline-scene.ts';
import { DENSITY_BELOW, SMALL, type TimelineSizes, xOf } from './viewport.ts';

/** Of a bar to its lane. */
const BAR = 0.19;

export function drawSpans(drawing: Drawing): void {
  const { history, viewport, blocks } = drawing;
  const events = viewport.scale < DENSITY_BELOW ? 3 / viewport.scale : 0;
  const { hiddenMarks } = blocks.filter;
  const later: EventSpan[] = [];
  history.eachSpan({ from: drawing.first, to: drawing.last, events }, (span) => {
    if (span.kind === 'migration') drawSpan(drawing, span);
    else if (!hiddenMarks.has(span.kind)) later.push(span);
  });
  for (const span of later) drawSpan(drawing, span);
}

function drawSpan(drawing: Drawing, span: EventSpan): void {
  const { pen, palette, viewport, sizes, history, laneOf, kernel } = drawing;
  const own = laneOf[history.actors.indexOf(span.actor)] ?? -1;
  if (own < 0) return;
  const lane = span.kind === 'bracket' ? kernel : own;
  const isOpen = span.to === Number.POSITIVE_INFINITY;
  const x = Math.max(sizes.gutterWidth - 4, xOf(viewport, sizes, span.from));
  const end = isOpen ? history.last + 0.8 : span.to;
  const right = Math.min(viewport.width + 4, xOf(viewport, sizes, end));
  const bar = spanBar(span, sizes);
  const y = laneY(drawing, lane) + bar.y;
  const width = Math.max(2, right - x);
  const { fill, ink } = palette.spans[span.kind];
  pen.fillStyle = fill;
  pen.globalAlpha = span.kind === 'migration' ? 0.55 : 1;
  pen.fillRect(x, y, width, bar.h);
  pen.globalAlpha = 1;
  if (span.kind === 'bracket') drawBracketEdges(drawing, { x, y, w: width, h: bar.h, isOpen });
  else if (span.kind === 'lock') {
    pen.fillStyle = palette.marks.lock;
    pen.fillRect(x, y, 2, bar.h);
    if (!isOpen) pen.fillRect(x + width - 2, y, 2, bar.h);
  }
  const size = Math.round(sizes.font * SMALL);
  if (span.kind === 'migration' || bar.h < size || width < 30) return;
  pen.fillStyle = ink;
  pen.font = `${size}px ${MONO}`;
  pen.textAlign = 'left';
  pen.fillText(fitted(span.label, width - 12, size), x + 6, y + bar.h / 2 + 0.5);
}

/** Calls above the line, locks below it, migrations behind everything, brackets over the kernel's lane. */
function spanBar(
  span: EventSpan,
  { laneHeight }: TimelineSizes,
): { readonly y: number; readonly h: number } {
  const bar = laneHeight * BAR;
  switch (span.kind) {
    case 'migration':
      return { y: -laneHeight * 0.47, h: laneHeight * 0.94 };
    case 'call':
      return { y: -laneHeight * 0.45 + Math.min(1, span.depth) * 3, h: bar };
    case 'callback':
      return { y: -laneHeight * 0.25, h: bar * 0.9 };
    case 'lock': {
      const h = Math.max(5, laneHeight * 0.17);
      return { y: laneHeight * 0.45 - h * (1 + Math.min(1, span.depth)), h };
    }
    case 'bracket':
      return { y: -laneHeight * 0.4 + Math.min(2, span.depth) * bar, h: laneHeight * 0.34 };
  }
}

function drawBracketEdges(
  { pen, palette }: Drawing,
  box: { x: number; y: number; w: number; h: number; isOpen: boolean },
): void {
  pen.strokeStyle = palette.bracket;
  pen.lineWidth = 2.5;
  pen.beginPath();
  pen.moveTo(box.x + 6, box.y);
  pen.lineTo(box.x, box.y);
  pen.lineTo(box.x, box.y + box.h);
  pen.lineTo(box.x + 6, box.y + box.h);
  if (!box.isOpen) {
    const right = box.x + box.w;
    pen.moveTo(right - 6, box.y);
    pen.lineTo(right, box.y);
    pen.lineTo(right, box.y + box.h);
    pen.lineTo(right - 6, box.y + box.h);
  }
  pen.stroke();
}
