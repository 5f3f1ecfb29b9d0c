import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { MutantAnswer } from './campaign.ts';
import { markLines } from './mark-lines.ts';
import { allMutants, mutated, sourceOf } from './mutants.ts';
import { reportOf } from './mutants-report.ts';
import { type Reaching, tableText } from './reach-table.ts';

test('every mutant changes a line that is there, into something that can be loaded', () => {
  const mutants = allMutants();
  assert.equal(new Set(mutants.map(({ id }) => id)).size, mutants.length);
  for (const mutant of mutants) {
    const text = sourceOf(mutant);
    const changed = mutated(mutant, text);
    assert.notEqual(changed, text, mutant.id);
    assert.doesNotThrow(() => stripTypeScriptTypes(changed), mutant.id);
  }
});

const BUILT_IN = ['true', 'false', 'undefined', 'unknown', 'none', 'number'];

/** Else it is found because it crashes, wherever it runs. */
test('a mistake names nothing that its file does not know', () => {
  const words = (text: string): Set<string> => new Set(text.match(/(?<![.\w])[A-Za-z_]\w*/g));
  for (const mutant of allMutants()) {
    const known = words(sourceOf(mutant).replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, ''));
    const bound = new Set([...(mutant.to.match(/\w+(?=: |, walk)/g) ?? []), ...BUILT_IN]);
    const unknown = [...words(mutant.to.replaceAll(/'[^']*'/g, ''))].filter(
      (word) => !(known.has(word) || bound.has(word)),
    );
    assert.deepEqual(unknown, [], mutant.id);
  }
});

test('there are fifty of the kernel and thirty of drivers at least', () => {
  const files = allMutants().map(({ file }) => file);
  assert.ok(files.filter((file) => file.startsWith('server/kernel/')).length >= 50);
  assert.ok(files.filter((file) => file.startsWith('clients/drivers/')).length >= 30);
});

test('those that nothing can find do not count', () => {
  const [one, other] = allMutants();
  assert.ok(one !== undefined && other !== undefined);
  const answers = [
    { id: one.id, caught: 'recordings', how: 'it differs', seconds: 1 },
    { id: other.id, caught: 'none', how: '', seconds: 1 },
  ] as const;
  const { equivalent: _, ...plain } = other;
  assert.equal(reportOf([one, plain], answers).enough, false);
  const report = reportOf([one, { ...plain, equivalent: 'It is asked again later.' }], answers);
  assert.deepEqual([report.enough, report.share, report.equivalent], [true, 1, 1]);
});

test('of the mistakes that the recorded run has asked it found enough, each within a minute', () => {
  const path = fileURLToPath(new URL('../../docs/mutants.jsonl', import.meta.url));
  const answers = readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line): MutantAnswer => JSON.parse(line));
  const mutants = new Map(allMutants().map((mutant) => [mutant.id, mutant]));
  assert.ok(reportOf([...mutants.values()], answers).enough);
  for (const { id, caught, seconds } of answers) {
    const mutant = mutants.get(id);
    assert.ok(mutant !== undefined, `${id} is in no list any more: npm run mutants`);
    assert.ok(seconds < 61, `${id}: ${seconds} s`);
    const reason = mutant.equivalent ?? mutant.lives;
    assert.equal(caught === 'none', reason !== undefined, `${id}: what lives has a reason`);
  }
});

/** Of `id`, asked only what is given. */
function asked(id: string, reaching: Partial<Reaching>): MutantAnswer {
  const program = fileURLToPath(new URL('try-mutant.ts', import.meta.url));
  const folder = mkdtempSync(join(tmpdir(), 'mmrace-mutants-'));
  const table = join(folder, 'reach.jsonl');
  const nothing: Reaching = { recordings: [], scenarios: [], shapes: [], races: [] };
  writeFileSync(table, tableText([[id, { ...nothing, ...reaching }]]));
  const args = [program, table, 'recordings,scenarios,shapes', id];
  const ran = spawnSync(process.execPath, args, { encoding: 'utf8' });
  rmSync(folder, { recursive: true });
  assert.equal(ran.status, 0, ran.stderr);
  return JSON.parse(ran.stdout.trim().split('\n').at(-1) ?? '');
}

test('what reaches the line of a mistake is asked, and finds it', () => {
  const answer = asked('exclusive-loses-dirty', { scenarios: ['freed-then-exclusive'] });
  assert.equal(answer.caught, 'scenarios');
  assert.match(answer.how, /freed-then-exclusive/);
});

test('a mistake that needs a race shows where runs switch at its line', () => {
  const flushed = asked('zap-not-nested', { races: ['two-tables:dontneed+dontneed'] });
  assert.match(flushed.how, /^two-tables:dontneed\+dontneed: OR3/);
  // It runs only in the midst of what another actor does.
  const copied = asked('fork-leaves-exclusive-migration-entry', {
    races: ['read-only:fork+compact'],
  });
  assert.match(copied.how, /^read-only:fork\+compact: OR11/);
});

test('marked files load, and nearly every line of a mistake can tell when it runs', () => {
  const { files, unmarked } = markLines(allMutants());
  for (const { file, text } of files) {
    assert.doesNotThrow(() => stripTypeScriptTypes(text), file);
    assert.match(text, /mutantsReached/);
  }
  assert.deepEqual(unmarked, ['zap-keeps-swap']);
});
