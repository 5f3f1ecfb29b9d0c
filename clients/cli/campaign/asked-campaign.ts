/** From the command line to what a campaign asks: each question with each patch, driver and strategy. */
import { hostname, userInfo } from 'node:os';
import type { CampaignSpec } from '../../../server/campaign/campaigns.ts';
import { bundled } from '../../../server/campaign/code-bundle.ts';
import { type Core, coreId } from '../../../server/campaign/core.ts';
import type { CampaignQuestion } from '../../../server/campaign/question.ts';
import { STOCK_NAME } from '../../../server/patches/joint-name.ts';
import type { AskedChoice } from '../../../server/scenario/explore-request.ts';
import type { Strategy } from '../../../server/verify/explore/explore-options.ts';
import { type Shape, scenarioOfShape } from '../../../server/verify/shapes/shapes.ts';
import { searchDataOf } from '../explore/search-settings.ts';
import { askedChoiceFrom, newPlanner, scenarioFrom } from '../scenario-choice.ts';
import { changedBetween, kernelSide } from '../shapes/ask-shapes.ts';

/** The word for the catalogue among the questions. */
export const SHAPES_WORD = 'shapes';

export interface CampaignQuestions {
  readonly words: readonly string[];
  readonly patches: readonly string[];
  /** Each a list for one question: `dev0=a`, or a driver for all. */
  readonly drivers: readonly (readonly string[])[];
  readonly strategies: readonly Strategy[];
  readonly kernel?: string;
  readonly devices?: number;
  readonly migrators?: number;
  readonly budgetExecutions?: number;
  readonly seed: number;
  readonly depth: number;
  readonly preemptions?: number;
  readonly shapes: () => readonly Shape[];
  readonly shapeExecutions: number;
}

export interface AskedCampaign {
  readonly spec: CampaignSpec;
  readonly cores: readonly Core[];
}

/** Throws: BadInput for what cannot be asked. A user's own code is tried in a thread first. */
export async function askedCampaign(asked: CampaignQuestions): Promise<AskedCampaign> {
  const collected = new Collected();
  for (const patch of asked.patches) {
    for (const word of asked.words) {
      if (word === SHAPES_WORD) await addShapes(collected, asked, patch);
      else await addScenario(collected, asked, word, patch);
    }
  }
  return collected.campaign();
}

class Collected {
  readonly #questions: CampaignQuestion[] = [];
  readonly #cores = new Map<string, Core>();
  readonly #origins: Record<string, string> = {};

  /** Its hash. */
  core(
    choices: readonly AskedChoice[],
    made: (choices: readonly AskedChoice[], code: Core['code']) => Core,
  ): string {
    const { bundle, choices: portable, origins } = bundled(choices);
    const core = made(portable, bundle);
    const id = coreId(core);
    this.#cores.set(id, core);
    for (const [name, path] of Object.entries(origins)) this.#origins[`${id}/${name}`] = path;
    return id;
  }

  add(question: CampaignQuestion): void {
    this.#questions.push(question);
  }

  campaign(): AskedCampaign {
    const by = `${userInfo().username}@${hostname()}`;
    const began = new Date().toISOString();
    return {
      spec: { questions: this.#questions, by, began, origins: this.#origins },
      cores: [...this.#cores.values()],
    };
  }
}

async function addScenario(
  collected: Collected,
  asked: CampaignQuestions,
  word: string,
  patch: string,
): Promise<void> {
  const scenario = scenarioFrom(word);
  const planner = newPlanner();
  try {
    for (const drivers of asked.drivers) {
      const options = {
        ...(asked.kernel === undefined ? {} : { kernel: asked.kernel }),
        ...(asked.devices === undefined ? {} : { devices: asked.devices }),
        ...(asked.migrators === undefined ? {} : { migrators: asked.migrators }),
        patch,
        driver: drivers,
      };
      await planner.planFrom(scenario, options);
      const core = collected.core([askedChoiceFrom(options)], ([choice], code) => ({
        kind: 'scenario',
        scenario,
        choice: choice as AskedChoice,
        code,
      }));
      for (const strategy of asked.strategies) {
        const { seed, depth, budgetExecutions, preemptions } = asked;
        const search = searchDataOf(scenario, {
          strategy,
          seed,
          depth,
          budgetSeconds: 0,
          ...(budgetExecutions === undefined ? {} : { budgetExecutions }),
          ...(preemptions === undefined ? {} : { preemptions }),
        });
        collected.add({
          kind: 'scenario',
          core,
          strategy,
          executions: search.budgetExecutions,
          skipExecutions: 0,
          seed,
          depth,
          ...(search.preemptionsMax === undefined ? {} : { preemptionsMax: search.preemptionsMax }),
          name: scenario.name,
          patch,
          drivers,
        });
      }
    }
  } finally {
    await planner.close();
  }
}

async function addShapes(
  collected: Collected,
  asked: CampaignQuestions,
  patch: string,
): Promise<void> {
  const shapes = asked.shapes();
  const scenario = scenarioOfShape(shapes[0] as Shape);
  const kernel = asked.kernel === undefined ? {} : { kernel: asked.kernel };
  const after = await kernelSide(scenario, { ...kernel, patch });
  const before =
    patch === STOCK_NAME ? after : await kernelSide(scenario, { ...kernel, patch: STOCK_NAME });
  const changed = changedBetween(before.choice, after.choice);
  const core = collected.core([before.asked, after.asked], ([was, is], code) => ({
    kind: 'catalogue',
    before: was as AskedChoice,
    after: is as AskedChoice,
    changed,
    code,
  }));
  collected.add({
    kind: 'shapes',
    core,
    shapes: shapes.map(({ name }) => name),
    executions: asked.shapeExecutions,
    patch,
  });
}
