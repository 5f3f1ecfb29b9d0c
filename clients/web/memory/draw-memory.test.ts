import assert from 'node:assert/strict';
import { test } from 'node:test';
import { emptyModel, type LabModel } from '../model/lab-model.ts';
import { type CanvasRecorder, newCanvasRecorder } from '../style/canvas-recorder.fixture.ts';
import { LIGHT } from '../style/palette.ts';
import { columnsOf } from './columns.ts';
import { drawMemory } from './draw-memory.ts';
import { type MemoryViewport, memorySizes, placeAt } from './geometry.ts';
import { rowAt, rowLayout, rowOfPage } from './row-layout.ts';

const FIRST = 0x10_0200;
const VIEW: MemoryViewport = { width: 1_900, height: 600, scrollTop: 0, scrollLeft: 0 };

/** Every device maps every page as the CPU does. */
function modelOf(pages: number, devices: number): LabModel {
  const model = emptyModel('stock');
  model.vmas = [{ mm: 0, first: FIRST, end: FIRST + pages, prot: 'rw', kind: 'anon-private' }];
  const cpu = new Map();
  for (let at = 0; at < pages; at += 1) {
    cpu.set(FIRST + at, { state: 'present', pfn: at + 1, access: 'write' });
  }
  model.cpu.set(0, cpu);
  for (let device = 0; device < devices; device += 1) {
    const table = new Map();
    for (let at = 0; at < pages; at += 1) {
      table.set(FIRST + at, { state: 'mapped', pfn: at + 1, access: 'write' });
    }
    model.devices.set(`gpu${device}`, table);
    model.actors.set(`gpu${device}`, { role: 'device', state: 'attached' });
  }
  return model;
}

function draw(model: LabModel, viewport: MemoryViewport = VIEW, litFrame = -1): CanvasRecorder {
  const recorder = newCanvasRecorder();
  drawMemory(recorder.pen, {
    model,
    layout: rowLayout(model),
    columns: columnsOf(model),
    viewport,
    sizes: memorySizes(1),
    palette: LIGHT,
    litFrame,
    cursor: 'none',
    freshness: () => 0,
  });
  return recorder;
}

function words({ texts }: CanvasRecorder): string[] {
  return texts.map(({ text }) => text);
}

test('a stale cell says so in a word and with torn edges, and only a stale one', () => {
  const model = modelOf(4, 2);
  const before = draw(model);
  assert.ok(!words(before).includes('STALE'));
  model.devices.get('gpu1')?.set(FIRST + 2, { state: 'mapped', pfn: 99, access: 'read' });
  const torn = draw(model);
  assert.equal(words(torn).filter((text) => text === 'STALE').length, 1);
  assert.ok(torn.lines.length > before.lines.length + 20);
});

test('an invalidation in flight is an open bracket beside its pages, and excuses what differs', () => {
  const model = modelOf(4, 1);
  model.devices.get('gpu0')?.set(FIRST, { state: 'mapped', pfn: 99, access: 'read' });
  const range = { first: FIRST, end: FIRST + 2 };
  const bracket = { id: 1, since: 1, mm: 0, ...range, event: 'clear', owner: '', actor: 'cpu0' };
  model.brackets.set(1, bracket);
  const open = draw(model);
  assert.ok(words(open).includes('['));
  assert.ok(!words(open).includes('STALE'));
  // Three lines for each of the two pages.
  assert.equal(open.lines.length, 6);
});

test('only what can be seen is drawn: 4,096 pages cost no more than the first 64', () => {
  const few = draw(modelOf(64, 16));
  const many = draw(modelOf(4_096, 16), { ...VIEW, scrollTop: 26 * 3_000 });
  assert.ok(Math.abs(many.strokes - few.strokes) < few.strokes * 0.1);
  const addresses = words(many).filter((text) => text.startsWith('0x100'));
  assert.ok(addresses.includes(`0x${((FIRST + 2_999) * 4_096).toString(16)}`));
});

test('what is pointed at is found: the cell of a row and a column', () => {
  const model = modelOf(100, 3);
  const layout = rowLayout(model);
  const columns = columnsOf(model);
  const sizes = memorySizes(1);
  const table = { rows: layout.rows, columns };
  const scrolled = { ...VIEW, scrollTop: sizes.rowHeight * 10 };
  const point = { x: sizes.gutterWidth + 5, y: sizes.headHeight + sizes.rowHeight * 2 + 3 };
  assert.deepEqual(placeAt(point, scrolled, sizes, table), { row: 12, column: 0 });
  assert.equal(placeAt({ x: 5, y: 3 }, scrolled, sizes, table), 'none');
});

test('pages that an actor maps without a mapping are rows of their own', () => {
  const model = modelOf(4, 1);
  model.vmas = [{ mm: 0, first: FIRST, end: FIRST + 2, prot: 'rw', kind: '' }];
  const layout = rowLayout(model);
  assert.deepEqual(
    layout.bands.map(({ nature, first, end, row }) => [nature, first, end, row]),
    [
      ['vma', FIRST, FIRST + 2, 0],
      ['stray', FIRST + 2, FIRST + 4, 3],
    ],
  );
  assert.equal(rowOfPage(layout, FIRST + 3), 5);
  assert.deepEqual(rowAt(layout, 3), { page: 'head', band: layout.bands[1] });
  assert.deepEqual(rowAt(layout, 5), { page: FIRST + 3, band: layout.bands[1] });
  assert.equal(rowAt(layout, 6), 'none');
  assert.equal(rowOfPage(layout, FIRST + 4), 'none');
});

test('a mapping too large to list shows the pages in use', () => {
  const model = modelOf(3, 1);
  model.vmas = [{ mm: 0, first: FIRST, end: FIRST + 2 ** 30, prot: 'rw', kind: '' }];
  const layout = rowLayout(model);
  // With its head.
  assert.equal(layout.rows, 4);
  assert.match(layout.bands[0]?.title ?? '', /those in use/);
});
