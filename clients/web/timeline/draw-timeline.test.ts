import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Event } from '../../../server/abi/event.ts';
import { runGolden } from '../../../server/report/golden/golden-runs.fixture.ts';
import { EventHistory } from '../model/event-history.ts';
import { emptyModel } from '../model/lab-model.ts';
import { type CanvasRecorder, newCanvasRecorder } from '../style/canvas-recorder.fixture.ts';
import { LIGHT } from '../style/palette.ts';
import { drawTimeline } from './draw-timeline.ts';
import { FilteredBlocks, NO_FILTER, type TimelineFilter } from './filter.ts';
import { lanesOf } from './lanes.ts';
import { showingAll, timelineSizes } from './viewport.ts';

const SIZE = { width: 1_400, height: 500, scrollTop: 0 };

function historyOf(events: readonly Event[]): EventHistory {
  const history = new EventHistory(emptyModel('stock'));
  history.append(events);
  return history;
}

function draw(history: EventHistory, filter: TimelineFilter = NO_FILTER): CanvasRecorder {
  const lanes = lanesOf(history, filter);
  const sizes = timelineSizes(1, lanes.length, SIZE.height);
  const recorder = newCanvasRecorder();
  drawTimeline(recorder.pen, {
    history,
    lanes,
    blocks: new FilteredBlocks(filter),
    viewport: showingAll({ ...SIZE, from: 0, scale: 20 }, sizes, history),
    sizes,
    palette: LIGHT,
    selected: 'live',
    milestones: [{ n: 3, label: 'point of no return: step 2' }],
  });
  return recorder;
}

function words({ texts }: CanvasRecorder): string[] {
  return texts.map(({ text }) => text);
}

/** 16 devices that fault again and again. */
function manyFaults(count: number): Event[] {
  return Array.from({ length: count }, (_, at): Event => {
    const n = at + 1;
    const actor = `gpu${Math.floor(at / 4) % 16}`;
    const args = { first: 1, end: 2 };
    switch (at % 4) {
      case 0:
        return { n, actor, task: 't', kind: 'lock', lock: 'mmap_lock', mode: 'read' };
      case 1:
        return { n, actor, task: 't', kind: 'call', function: 'hmm_range_fault', args };
      case 2:
        return { n, actor, task: 't', kind: 'return', function: 'hmm_range_fault', result: 'OK' };
      default:
        return { n, actor, task: 't', kind: 'unlock', lock: 'mmap_lock' };
    }
  });
}

test('the seed race is drawn with its lanes, calls, brackets, and the rule that was broken', () => {
  const { events } = runGolden('seed-zero-page', 'patched');
  const drawn = words(draw(historyOf(events)));
  for (const expected of [
    '▢ cpu0',
    '⬡ kernel',
    '○ dev0',
    '○ dev1',
    'migrate_vma_setup',
    'invalidate (migrate)',
    'stale entry used',
    'point of no return: step 2',
  ]) {
    assert.ok(drawn.includes(expected), `${expected} is not among ${drawn.join(' | ')}`);
  }
});

test('what a filter hides is not drawn, and an address finds what is about its page', () => {
  const { events } = runGolden('seed-zero-page', 'patched');
  const history = historyOf(events);
  const all = draw(history);
  const hidden = draw(history, {
    ...NO_FILTER,
    hiddenActors: new Set(['dev1']),
    hiddenMarks: new Set(['bracket']),
  });
  assert.ok(!words(hidden).includes('○ dev1'));
  assert.ok(!words(hidden).includes('invalidate (migrate)'));
  const block = history.blocks[0];
  assert.ok(block !== undefined);
  const wanted = (text: string) => {
    const blocks = new FilteredBlocks({ ...NO_FILTER, text });
    return block.events.filter((_, at) => blocks.wants(block, at)).length;
  };
  assert.equal(wanted('0x7f0000'), 0);
  assert.ok(wanted('0x100200000') > 10);
  assert.ok(wanted('dev1 mirror') > 0 && wanted('dev1 mirror') < wanted('dev1'));
  assert.ok(hidden.strokes < all.strokes);
});

test('a folded group is one lane, in which all stands that stood in its lanes', () => {
  const { events } = runGolden('seed-zero-page', 'patched');
  const history = historyOf(events);
  const all = draw(history);
  const folded = draw(history, { ...NO_FILTER, folded: new Set(['device', 'cpu']) });
  assert.ok(words(folded).includes('○ 2 devices'));
  assert.ok(words(folded).includes('▢ cpu0'), 'one is no group');
  assert.ok(!words(folded).includes('○ dev1'));
  assert.ok(words(folded).includes('stale entry used'));
  const marks = ({ texts }: CanvasRecorder) => texts.filter(({ text }) => text === 'mirror').length;
  assert.equal(marks(folded), marks(all));
});

test('100,000 events cost no more strokes than can be seen', () => {
  const far = draw(historyOf(manyFaults(100_000)));
  assert.ok(far.strokes > 20 && far.strokes < 20_000, `${far.strokes} strokes`);
});
