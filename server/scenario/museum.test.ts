/** The scenarios of the museum against the verdicts that they expect, and its catalogue against the scenarios. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { MuseumRace } from '../report/museum.ts';
import { expectationsOf } from './expectations.ts';
import {
  byStates,
  compareWithRandomSchedules,
  scenariosIn,
  testExpectations,
} from './expected-verdicts.fixture.ts';
import { MUSEUM_RACES } from './scenario-schema.ts';
import { shippedScenario } from './shipped-scenarios.ts';

const MUSEUM = scenariosIn('scenarios/museum/');
const ALL = [...scenariosIn('scenarios/'), ...MUSEUM];

const RACES: readonly MuseumRace[] = readFileSync(
  new URL('../../scenarios/museum/races.jsonl', import.meta.url),
  'utf8',
)
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line));

testExpectations(MUSEUM);

test('each file is called as its race and its scenario are, and is found by the name', () => {
  for (const { file, scenario } of MUSEUM) {
    const { name, museum = '' } = scenario;
    assert.equal(file, `${String(museum).padStart(2, '0')}-${name}.yaml`);
    assert.deepEqual(shippedScenario(name), scenario);
  }
});

test('no two scenarios have one name', () => {
  const names = ALL.map(({ scenario }) => scenario.name);
  assert.deepEqual(names.toSorted(), [...new Set(names)].toSorted());
});

test('each tells its story and the kernels that it is about, and can be broken and can hold', () => {
  for (const { scenario } of MUSEUM) {
    const { name, story = '', affects = '' } = scenario;
    assert.ok(story.length >= 200, name);
    assert.notEqual(affects, '', name);
    const verdicts = new Set(expectationsOf(scenario).map(({ verdict }) => verdict));
    assert.deepEqual([...verdicts].sort(), ['broken', 'holds'], name);
  }
});

test('the catalogue has every race once, with a scenario or with the reason why there is none', () => {
  const numbers = RACES.map(({ race }) => race);
  const hypotheses = Array.from({ length: 8 }, (_, at) => `H${at + 1}`);
  const expected = [...Array.from({ length: MUSEUM_RACES }, (_, at) => at + 1), ...hypotheses];
  assert.deepEqual(numbers, expected);
  const shown = new Set(ALL.map(({ scenario }) => scenario.museum));
  for (const { race, missing = '' } of RACES) {
    if (!shown.has(race)) assert.ok(missing.length >= 20, `race ${race}`);
  }
});

test('no random schedule ends otherwise than some schedule of the search', () => {
  assert.ok(compareWithRandomSchedules(MUSEUM, byStates) >= 30);
});
