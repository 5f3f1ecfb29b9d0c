/**
 * Makes a counterexample readable: fewest context switches, then fewest steps. Every candidate is executed; what is
 * returned has failed when it was run last.
 */
import { type Block, blocksOf, choicesOf, contextSwitches } from './blocks.ts';
import type { NewExplored } from './explored.ts';
import { failsAlike } from './failure.ts';
import { type QuietRun, replayQuietly } from './without-footprint.ts';

/** Whether an execution shows what another one shows. */
export type Alike = (tried: QuietRun, before: QuietRun) => boolean;

export const isAlike: Alike = (tried, before) => failsAlike(tried.failure, before.failure);

/** Executions that shrinking may cost. */
const ATTEMPTS_MAX = 2_000;

/**
 * `choices` must fail. Returns a schedule that fails in the same way and has no more context switches, nor more steps
 * for as many.
 */
export function shrink(
  newExplored: NewExplored,
  choices: readonly number[],
  stepsMax: number,
  alike: Alike = isAlike,
): QuietRun | 'does not fail' {
  let best = replayQuietly(newExplored, choices, stepsMax);
  if (best.failure === 'none') return 'does not fail';
  // After each improvement most candidates are those of before.
  const seen = new Set<string>();
  let attempts = 0;
  for (let improved = true; improved && attempts < ATTEMPTS_MAX; ) {
    improved = false;
    for (const candidate of candidates(blocksOf(best.choices))) {
      const key = candidate.map(({ task, count }) => `${task}x${count}`).join();
      if (seen.has(key)) continue;
      seen.add(key);
      attempts += 1;
      if (attempts === ATTEMPTS_MAX) break;
      const tried = replayQuietly(newExplored, choicesOf(candidate), stepsMax);
      if (alike(tried, best) && simpler(tried.choices, best.choices)) {
        best = tried;
        improved = true;
        break;
      }
    }
  }
  return best;
}

/** Fewer context switches, or as many and fewer steps. */
export function simpler(a: readonly number[], b: readonly number[]): boolean {
  const [switchesA, switchesB] = [contextSwitches(a), contextSwitches(b)];
  return switchesA < switchesB || (switchesA === switchesB && a.length < b.length);
}

/** Simplest first: leave blocks out, join a block with an earlier or later one of its task, move a boundary. */
function* candidates(blocks: readonly Block[]): Iterable<Block[]> {
  for (let at = blocks.length - 1; at >= 0; at -= 1) yield without(blocks, at, 1);
  for (let at = 0; at < blocks.length; at += 1) {
    for (let to = at + 2; to < blocks.length; to += 1) {
      if (blocks[at]?.task !== blocks[to]?.task) continue;
      yield joined(blocks, at, to);
      yield joined(blocks, to, at);
      break;
    }
  }
  for (let at = 0; at + 1 < blocks.length; at += 1) {
    yield swapped(blocks, at);
    const count = blocks[at]?.count ?? 0;
    for (const kept of [0, Math.floor(count / 2), count - 1]) {
      if (kept < count) yield resized(blocks, at, kept);
    }
  }
}

function without(blocks: readonly Block[], at: number, count: number): Block[] {
  return [...blocks.slice(0, at), ...blocks.slice(at + count)];
}

/** The block `from` goes to where the block `to` stands. */
function joined(blocks: readonly Block[], from: number, to: number): Block[] {
  const moved = blocks[from] as Block;
  const target = blocks[to] as Block;
  const merged = { task: moved.task, count: moved.count + target.count };
  return blocks.flatMap((block, at) => {
    if (at === from) return [];
    return at === to ? [merged] : [block];
  });
}

function swapped(blocks: readonly Block[], at: number): Block[] {
  const copy = blocks.slice();
  copy[at] = blocks[at + 1] as Block;
  copy[at + 1] = blocks[at] as Block;
  return copy;
}

function resized(blocks: readonly Block[], at: number, count: number): Block[] {
  return blocks.flatMap((block, index) => {
    if (index !== at) return [block];
    return count === 0 ? [] : [{ task: block.task, count }];
  });
}
