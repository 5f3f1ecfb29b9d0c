/** The mark of one event: its shape says the kind, for a person who does not see the colour. */
import type { Event } from '../../../server/abi/event.ts';
import type { Palette } from '../style/palette.ts';
import type { Pen } from '../style/pen.ts';

export interface MarkAt {
  readonly x: number;
  readonly y: number;
  readonly size: number;
  readonly event: Event;
  readonly colour: string;
}

export function drawMark(pen: Pen, palette: Palette, mark: MarkAt): void {
  const { event, colour } = mark;
  pen.fillStyle = colour;
  pen.strokeStyle = colour;
  pen.lineWidth = 1.5;
  switch (event.kind) {
    case 'call':
    case 'return':
    case 'migration-end':
      disc(pen, mark, mark.size * 0.6);
      break;
    case 'callback':
    case 'callback-return':
      triangle(pen, mark, 1);
      break;
    case 'pte':
      pen.fillRect(mark.x - mark.size, mark.y - mark.size, mark.size * 2, mark.size * 2);
      break;
    case 'mirror':
      pen.fillStyle = palette.ground;
      pen.fillRect(mark.x - mark.size, mark.y - mark.size, mark.size * 2, mark.size * 2);
      pen.strokeRect(mark.x - mark.size, mark.y - mark.size, mark.size * 2, mark.size * 2);
      break;
    case 'device-access':
    case 'cpu-access':
    case 'pin-access':
      diamond(pen, palette, mark, event.mode);
      break;
    case 'fault':
    case 'signal':
      triangle(pen, mark, -1);
      break;
    case 'frame-alloc':
    case 'frame-free':
      pen.fillRect(mark.x - mark.size, mark.y - 1, mark.size * 2, 2);
      if (event.kind === 'frame-alloc')
        pen.fillRect(mark.x - 1, mark.y - mark.size, 2, mark.size * 2);
      break;
    case 'violation':
      cross(pen, mark);
      break;
    case 'attach':
    case 'detach':
    case 'fenced':
    case 'vma':
    case 'note':
      pen.beginPath();
      pen.arc(mark.x, mark.y, mark.size * 0.9, 0, Math.PI * 2);
      pen.stroke();
      break;
    case 'invalidate_range_start':
    case 'invalidate_range_end':
    case 'tlb-flush':
      pen.fillRect(mark.x - 1, mark.y - mark.size, 2, mark.size * 2);
      break;
    case 'lock':
    case 'unlock':
      // Its bar shows it.
      break;
  }
}

function disc(pen: Pen, { x, y }: MarkAt, radius: number): void {
  pen.beginPath();
  pen.arc(x, y, radius, 0, Math.PI * 2);
  pen.fill();
}

function triangle(pen: Pen, { x, y, size }: MarkAt, down: 1 | -1): void {
  pen.beginPath();
  pen.moveTo(x - size, y - down * size);
  pen.lineTo(x + size, y - down * size);
  pen.lineTo(x, y + down * size);
  pen.closePath();
  pen.fill();
}

/** Full for a write, hollow for a read. */
function diamond(pen: Pen, palette: Palette, mark: MarkAt, mode: 'read' | 'write'): void {
  const { x, y } = mark;
  const size = mark.size * 1.25;
  pen.beginPath();
  pen.moveTo(x, y - size);
  pen.lineTo(x + size, y);
  pen.lineTo(x, y + size);
  pen.lineTo(x - size, y);
  pen.closePath();
  if (mode === 'read') pen.fillStyle = palette.ground;
  pen.fill();
  pen.stroke();
}

function cross(pen: Pen, { x, y, size }: MarkAt): void {
  const reach = size * 1.3;
  pen.lineWidth = size * 0.65;
  pen.beginPath();
  pen.moveTo(x - reach, y - reach);
  pen.lineTo(x + reach, y + reach);
  pen.moveTo(x + reach, y - reach);
  pen.lineTo(x - reach, y + reach);
  pen.stroke();
}
