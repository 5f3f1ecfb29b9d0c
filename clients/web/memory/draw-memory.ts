/** Draws the memory view: a pure function of what is to be seen. */
import { hexAddress, pageIndex } from '../../../server/vocabulary/address.ts';
import { bracketed, coherenceOf, MIRRORED_MM } from '../model/coherence.ts';
import type { LabModel } from '../model/lab-model.ts';
import type { Palette } from '../style/palette.ts';
import { fitted, MONO, MONO_ADVANCE, type Pen, SANS } from '../style/pen.ts';
import { type CellFace, mirrorFace, pteFace } from './cell-face.ts';
import type { Column } from './columns.ts';
import {
  columnWidth,
  type MemoryPlace,
  type MemorySizes,
  type MemoryViewport,
} from './geometry.ts';
import { type Band, type RowLayout, rowAt } from './row-layout.ts';

export interface MemoryScene {
  readonly model: LabModel;
  readonly layout: RowLayout;
  readonly columns: readonly Column[];
  readonly viewport: MemoryViewport;
  readonly sizes: MemorySizes;
  readonly palette: Palette;
  /** The frame that is pointed at: every place that maps it is lit. -1 for none. */
  readonly litFrame: number;
  readonly cursor: MemoryPlace | 'none';
  /** From 0 (at rest) to 1 (just changed), for the cell of a column and a page. */
  readonly freshness: (column: Column, page: number) => number;
}

interface Box {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

/** Space between a cell's edge and what stands in it. */
const INSET = 3;

export function drawMemory(pen: Pen, scene: MemoryScene): void {
  const { viewport, palette, sizes } = scene;
  pen.fillStyle = palette.ground;
  pen.fillRect(0, 0, viewport.width, viewport.height);
  pen.textBaseline = 'middle';
  drawRows(pen, scene);
  drawHead(pen, scene);
  pen.fillStyle = palette.line;
  pen.fillRect(sizes.gutterWidth - 1, 0, 1, viewport.height);
}

/** The rows that can be seen, the last one perhaps in part. */
export function visibleRows(scene: Pick<MemoryScene, 'layout' | 'viewport' | 'sizes'>): {
  readonly from: number;
  readonly to: number;
} {
  const { viewport, sizes, layout } = scene;
  const from = Math.max(0, Math.floor(viewport.scrollTop / sizes.rowHeight));
  const room = Math.ceil((viewport.height - sizes.headHeight) / sizes.rowHeight) + 1;
  return { from, to: Math.min(layout.rows, from + room) };
}

function drawRows(pen: Pen, scene: MemoryScene): void {
  const { layout, sizes, viewport, columns } = scene;
  const width = columnWidth(sizes, columns, viewport.width);
  const { from, to } = visibleRows(scene);
  for (let row = from; row < to; row += 1) {
    const found = rowAt(layout, row);
    if (found === 'none') continue;
    const y = sizes.headHeight + row * sizes.rowHeight - viewport.scrollTop;
    const { page, band } = found;
    if (page === 'head') {
      drawBandHead(pen, scene, band, y);
      continue;
    }
    for (const [at, column] of columns.entries()) {
      const x = sizes.gutterWidth + at * width - viewport.scrollLeft;
      if (x + width < sizes.gutterWidth || x > viewport.width) continue;
      drawCell(pen, scene, column, page, { x, y, w: width, h: sizes.rowHeight });
    }
    drawGutter(pen, scene, { page, band }, { x: 0, y, w: sizes.gutterWidth, h: sizes.rowHeight });
  }
  drawCursor(pen, scene, width);
}

/** Over the pages of a VMA: where it is, what may be done there, what kind it is. */
function drawBandHead(
  pen: Pen,
  { palette, sizes, viewport }: MemoryScene,
  band: Band,
  y: number,
): void {
  const size = Math.round(sizes.font * 0.85);
  pen.fillStyle = palette.raised;
  pen.fillRect(0, y, viewport.width, sizes.rowHeight);
  pen.fillStyle = band.nature === 'vma' ? palette.quiet : palette.alarm;
  pen.fillRect(0, y, viewport.width, 1);
  pen.fillRect(0, y, 4, sizes.rowHeight);
  pen.font = `600 ${size}px ${MONO}`;
  pen.textAlign = 'left';
  pen.fillText(fitted(band.title, viewport.width - 24, size), 12, y + sizes.rowHeight / 2 + 1);
}

function drawGutter(
  pen: Pen,
  { model, palette, sizes }: MemoryScene,
  { page, band }: { readonly page: number; readonly band: Band },
  box: Box,
): void {
  pen.fillStyle = palette.raised;
  pen.fillRect(box.x, box.y, box.w - 1, box.h);
  pen.fillStyle = band.nature === 'vma' ? palette.quiet : palette.alarm;
  pen.fillRect(box.x, box.y, 4, box.h - (page === band.end - 1 ? 2 : 0));
  pen.fillStyle = palette.ink;
  pen.textAlign = 'left';
  pen.font = `${sizes.font}px ${MONO}`;
  pen.fillText(hexAddress(pageIndex(page)), 12, box.y + box.h / 2 + 1);
  if (bracketed(model, page)) drawBracket(pen, palette, box);
}

/** An invalidation in flight: a bracket that stays open towards the page tables until it has ended. */
function drawBracket(pen: Pen, palette: Palette, box: Box): void {
  const x = box.x + box.w - 10;
  pen.strokeStyle = palette.bracket;
  pen.lineWidth = 3;
  pen.beginPath();
  pen.moveTo(x + 8, box.y + 3);
  pen.lineTo(x, box.y + 3);
  pen.lineTo(x, box.y + box.h - 3);
  pen.lineTo(x + 8, box.y + box.h - 3);
  pen.stroke();
}

function drawCell(pen: Pen, scene: MemoryScene, column: Column, page: number, box: Box): void {
  const { model, palette, litFrame, sizes } = scene;
  const pte = model.cpu.get(column.side === 'cpu' ? column.mm : MIRRORED_MM)?.get(page);
  const isCpu = column.side === 'cpu';
  const face = isCpu ? pteFace(pte) : mirrorFace(model.devices.get(column.name)?.get(page), pte);
  const inner = { x: box.x + 2, y: box.y + 2, w: box.w - 4, h: box.h - 4 };
  const fresh = scene.freshness(column, page);
  if (fresh > 0) {
    pen.globalAlpha = fresh;
    pen.fillStyle = palette.flash;
    pen.fillRect(box.x, box.y, box.w, box.h);
    pen.globalAlpha = 1;
  }
  if (face.tone === 'empty') {
    pen.fillStyle = palette.line;
    pen.fillRect(box.x + box.w / 2 - 3, box.y + box.h / 2 - 0.5, 6, 1);
    return;
  }
  const coherence = isCpu ? 'agrees' : coherenceOf(model, column.name, page);
  drawFace(pen, scene, face, inner, coherence === 'stale' ? staleTagWidth(sizes) : 0);
  if (litFrame >= 0 && face.pfn === litFrame) drawLit(pen, palette, inner);
  if (coherence === 'stale') drawStale(pen, scene, inner);
  else if (coherence === 'in-flight')
    drawTag(pen, scene, inner, { text: '[', ink: palette.bracket });
}

/** `kept` pixels before the rights are kept free for a tag. */
function drawFace(
  pen: Pen,
  { palette, sizes }: MemoryScene,
  face: CellFace,
  box: Box,
  kept: number,
): void {
  const { fill, edge } = palette.tones[face.tone];
  pen.fillStyle = fill;
  pen.fillRect(box.x, box.y, box.w, box.h);
  pen.fillStyle = edge;
  pen.fillRect(box.x, box.y, 4, box.h);
  if (face.tone === 'migration') drawStripes(pen, edge, box);
  const ink = face.tone === 'poison' ? palette.ground : palette.ink;
  const middle = box.y + box.h / 2 + 1;
  const advance = sizes.font * MONO_ADVANCE;
  pen.textAlign = 'left';
  pen.font = `${sizes.font}px ${MONO}`;
  pen.fillStyle = face.tone === 'poison' ? ink : edge;
  pen.fillText(face.glyph, box.x + 8, middle);
  pen.fillStyle = ink;
  const textX = box.x + 8 + advance * 2;
  const room = box.w - 20 - kept - advance * (2 + face.rights.length);
  pen.fillText(fitted(cellText(face, room / advance), room, sizes.font), textX, middle);
  if (face.rights === '') return;
  pen.textAlign = 'right';
  pen.fillText(face.rights, box.x + box.w - 5, middle);
}

/** Where there is no room for both, the frame says more than the kind, whose glyph is there anyway. */
function cellText(face: CellFace, signs: number): string {
  const both = [face.kind, face.frame].filter(Boolean).join(' ');
  if (both.length <= signs) return both;
  return face.frame === '' ? (face.kind.split(' ')[0] ?? '') : face.frame;
}

function drawStripes(pen: Pen, colour: string, box: Box): void {
  pen.save();
  pen.beginPath();
  pen.rect(box.x, box.y, box.w, box.h);
  pen.clip();
  pen.strokeStyle = colour;
  pen.globalAlpha = 0.35;
  pen.lineWidth = 2;
  pen.beginPath();
  for (let x = box.x - box.h; x < box.x + box.w; x += 9) {
    pen.moveTo(x, box.y + box.h);
    pen.lineTo(x + box.h, box.y);
  }
  pen.stroke();
  pen.restore();
}

function drawLit(pen: Pen, palette: Palette, box: Box): void {
  pen.strokeStyle = palette.lit;
  pen.lineWidth = 3;
  pen.strokeRect(box.x + 1, box.y + 1, box.w - 2, box.h - 2);
}

/** Torn edges, a thick frame and a word: no person has to see red. */
function drawStale(pen: Pen, scene: MemoryScene, box: Box): void {
  const { palette } = scene;
  pen.strokeStyle = palette.alarm;
  pen.lineWidth = 2.5;
  pen.beginPath();
  const teeth = 5;
  pen.moveTo(box.x, box.y + 1);
  for (let x = box.x, up = 1; x < box.x + box.w; x += teeth, up = 1 - up) {
    pen.lineTo(Math.min(x + teeth, box.x + box.w), box.y + 1 + up * 3);
  }
  pen.lineTo(box.x + box.w - 1, box.y + box.h - 1);
  for (let x = box.x + box.w, up = 1; x > box.x; x -= teeth, up = 1 - up) {
    pen.lineTo(Math.max(x - teeth, box.x), box.y + box.h - 1 - up * 3);
  }
  pen.closePath();
  pen.stroke();
  drawTag(pen, scene, box, { text: 'STALE', ink: palette.onAlarm, ground: palette.alarm });
}

function drawTag(
  pen: Pen,
  { sizes, palette }: MemoryScene,
  box: Box,
  tag: { readonly text: string; readonly ink: string; readonly ground?: string },
): void {
  const size = tagSize(sizes);
  const width = tagWidth(tag.text, sizes);
  const x = box.x + box.w - width - INSET - sizes.font * 1.5;
  pen.fillStyle = tag.ground ?? palette.ground;
  pen.fillRect(x, box.y + 3, width, box.h - 6);
  pen.fillStyle = tag.ink;
  pen.font = `700 ${size}px ${SANS}`;
  pen.textAlign = 'center';
  pen.fillText(tag.text, x + width / 2, box.y + box.h / 2 + 1);
}

function tagSize({ font }: MemorySizes): number {
  return Math.round(font * 0.85);
}

function tagWidth(text: string, sizes: MemorySizes): number {
  return text.length * tagSize(sizes) * 0.7 + 8;
}

function staleTagWidth(sizes: MemorySizes): number {
  return tagWidth('STALE', sizes) + INSET;
}

function drawCursor(
  pen: Pen,
  { cursor, sizes, viewport, palette }: MemoryScene,
  width: number,
): void {
  if (cursor === 'none' || cursor.column < 0) return;
  pen.strokeStyle = palette.focus;
  pen.lineWidth = 2;
  pen.strokeRect(
    sizes.gutterWidth + cursor.column * width - viewport.scrollLeft + 1,
    sizes.headHeight + cursor.row * sizes.rowHeight - viewport.scrollTop + 1,
    width - 2,
    sizes.rowHeight - 2,
  );
}

function drawHead(pen: Pen, scene: MemoryScene): void {
  const { columns, sizes, viewport, palette } = scene;
  const width = columnWidth(sizes, columns, viewport.width);
  pen.fillStyle = palette.raised;
  pen.fillRect(0, 0, viewport.width, sizes.headHeight);
  pen.fillStyle = palette.line;
  pen.fillRect(0, sizes.headHeight - 1, viewport.width, 1);
  pen.textAlign = 'left';
  const middle = sizes.headHeight / 2 + 1;
  for (const [at, column] of columns.entries()) {
    const x = sizes.gutterWidth + at * width - viewport.scrollLeft;
    if (x + width < sizes.gutterWidth || x > viewport.width) continue;
    const gone = column.state === 'attached' ? '' : ` · ${column.state}`;
    const mark = column.side === 'cpu' ? '▢' : '○';
    pen.font = `700 ${sizes.font}px ${SANS}`;
    pen.fillStyle = column.state === 'fenced' ? palette.alarm : palette.ink;
    pen.fillText(fitted(`${mark} ${column.name}${gone}`, width - 12, sizes.font), x + 8, middle);
  }
  pen.fillStyle = palette.raised;
  pen.fillRect(0, 0, sizes.gutterWidth - 1, sizes.headHeight - 1);
  pen.font = `600 ${sizes.font}px ${SANS}`;
  pen.fillStyle = palette.quiet;
  pen.fillText('page', 12, middle);
}
