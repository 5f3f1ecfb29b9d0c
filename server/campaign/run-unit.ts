/** Answers one unit in a thread: a function of the unit and of its core, and of nothing else. */
import type { ExploreRequest } from '../scenario/explore-request.ts';
import type { PartResult } from '../verify/explore/sampled-parts.ts';
import type { SearchData } from '../verify/explore/workers/jobs.ts';
import type { SearchPool } from '../verify/explore/workers/search-pool.ts';
import { answerShape } from '../verify/shapes/ask-catalogue.ts';
import { scenarioOfShape, shapeNamed } from '../verify/shapes/shapes.ts';
import { choiceIn } from './code-bundle.ts';
import type { CatalogueCore, Core, ScenarioCore } from './core.ts';
import { partsIn } from './sampled-range.ts';
import type { AnswerUnit, SampleUnit, ShapeUnit, Unit, UnitValue, UnitValues } from './unit.ts';

/** Units have no clock: only executions end a search. */
const ENDLESS_SECONDS = 1e9;
/** A pool has one thread. */
const SLOT = 0;

export interface UnitPlace {
  readonly pool: SearchPool;
  /** Where the code of the core was unpacked. */
  readonly folder: string;
}

/** Throws: BadInput for what the user gave. */
export async function runUnit(unit: Unit, core: Core, place: UnitPlace): Promise<UnitValue> {
  switch (unit.kind) {
    case 'shape':
      return await shapeValue(unit, catalogueIn(core), place);
    case 'answer':
      return await answerValue(unit, scenarioIn(core), place);
    case 'sample':
      return await sampleValue(unit, scenarioIn(core), place);
  }
}

function catalogueIn(core: Core): CatalogueCore {
  if (core.kind === 'catalogue') return core;
  throw new TypeError('a shape of a scenario');
}

function scenarioIn(core: Core): ScenarioCore {
  if (core.kind === 'scenario') return core;
  throw new TypeError('a search of a catalogue');
}

async function shapeValue(
  unit: ShapeUnit,
  { before, after, changed }: CatalogueCore,
  { pool, folder }: UnitPlace,
): Promise<UnitValues['shape']> {
  const shape = shapeNamed(unit.shape);
  const scenario = scenarioOfShape(shape);
  const { executions } = unit;
  const sides = { before, after };
  const answer = await answerShape({ before, after, changed }, shape, {
    // What another worker happens to know must not show.
    known: () => 'unknown',
    ask: async (side) => {
      const asked = { file: shape.name, text: '', ...choiceIn(sides[side], folder) };
      return await pool.run('askShape', { asked, scenario, executions, slot: SLOT });
    },
  });
  if (answer === 'interrupted') throw new Error('a search that nobody interrupts was interrupted');
  const { shape: _, ...value } = answer;
  return value;
}

async function answerValue(
  unit: AnswerUnit,
  core: ScenarioCore,
  { pool, folder }: UnitPlace,
): Promise<UnitValues['answer']> {
  const { strategy, executions, preemptionsMax } = unit;
  const search = searchData({ strategy, executions, seed: 1, depth: 1, preemptionsMax });
  const asked = requestOf(core, folder);
  const answer = await pool.run('answerWhole', { asked, search, slot: SLOT });
  return { ...answer, seconds: 0 };
}

async function sampleValue(
  unit: SampleUnit,
  core: ScenarioCore,
  { pool, folder }: UnitPlace,
): Promise<UnitValues['sample']> {
  const { strategy } = unit;
  const asked = requestOf(core, folder);
  const job = { asked, search: searchData(unit), slot: SLOT };
  const measured = await pool.run('measurePlan', job);
  const parts: PartResult[] = [];
  for (const part of partsIn(unit)) {
    const result = await pool.run('samplePart', { ...job, strategy, part, measured });
    parts.push(result);
    if (result.found !== 'none') break;
  }
  return { measured, parts };
}

export function requestOf({ scenario, choice }: ScenarioCore, folder: string): ExploreRequest {
  const { name } = scenario;
  return { file: name, text: JSON.stringify(scenario), ...choiceIn(choice, folder) };
}

/** How to search, without an end in time. */
export function searchData(
  of: Pick<SearchData, 'strategy' | 'seed' | 'depth'> & {
    readonly executions: number;
    readonly preemptionsMax?: number | undefined;
    readonly skipExecutions?: number;
  },
): SearchData {
  const { strategy, seed, depth, executions, preemptionsMax, skipExecutions } = of;
  return {
    strategy,
    seed,
    depth,
    budgetExecutions: executions,
    budgetSeconds: ENDLESS_SECONDS,
    ...(preemptionsMax === undefined ? {} : { preemptionsMax }),
    ...(skipExecutions === undefined ? {} : { skipExecutions }),
  };
}
