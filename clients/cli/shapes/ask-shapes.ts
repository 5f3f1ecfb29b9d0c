/** Asks the catalogue of shapes for a command: progress, Ctrl-C, the time that it may take. */
import { DEFAULT_KERNEL } from '../../../server/abi/kernel-ids.ts';
import { kernelFunctions } from '../../../server/kernel/versions/kernels.ts';
import type { CatalogueReport } from '../../../server/report/catalogue.ts';
import type { AskedChoice } from '../../../server/scenario/explore-request.ts';
import type { ScenarioChoice } from '../../../server/scenario/scenario-plan.ts';
import type { Scenario } from '../../../server/scenario/scenario-schema.ts';
import {
  askCatalogue,
  type CatalogueQuestion,
} from '../../../server/verify/shapes/ask-catalogue.ts';
import { catalogueReport } from '../../../server/verify/shapes/catalogue-report.ts';
import { linesMissed } from '../../../server/verify/shapes/lines-missed.ts';
import { cacheFolder } from '../../../server/verify/shapes/shape-cache.ts';
import type { Shape } from '../../../server/verify/shapes/shapes.ts';
import { newProgress } from '../progress.ts';
import { askedChoiceFrom, type ChoiceOptions, planFrom } from '../scenario-choice.ts';
import type { CatalogueCommandOptions } from './catalogue-options.ts';

export interface KernelSide {
  readonly asked: AskedChoice;
  readonly choice: ScenarioChoice;
}

export async function kernelSide(
  scenario: Scenario,
  options: Pick<ChoiceOptions, 'kernel' | 'patch'> & Partial<Pick<ChoiceOptions, 'driver'>>,
): Promise<KernelSide> {
  const all = { driver: [], ...options };
  const { choice } = await planFrom(scenario, all);
  return { asked: askedChoiceFrom(all), choice };
}

export interface AskedShapes {
  readonly report: CatalogueReport;
  readonly ended: 'by itself' | 'interrupted';
}

export async function askShapes(
  shapes: readonly Shape[],
  sides: { readonly before: KernelSide; readonly after: KernelSide },
  options: CatalogueCommandOptions,
): Promise<AskedShapes> {
  const question: CatalogueQuestion = {
    before: sides.before.asked,
    after: sides.after.asked,
    changed: changedBetween(sides.before.choice, sides.after.choice),
    shapes,
    executions: options.shapeExecutions,
    stopAfter: options.stopAfter,
  };
  const until = performance.now() + options.shapeSeconds * 1_000;
  const interruption = new AbortController();
  const interrupt = () => interruption.abort();
  const line = newProgress('shapes');
  process.once('SIGINT', interrupt);
  try {
    const answers = await askCatalogue(question, {
      workers: options.workers,
      cache: options.cache === false ? 'none' : (options.cache ?? cacheFolder()),
      interrupted: interruption.signal,
      goOn: () => (performance.now() > until ? 'stop' : 'go on'),
      onAnswer: (count, { name }) => line.at(count, `of ${shapes.length}, ${name}`),
    });
    const ended = interruption.signal.aborted ? 'interrupted' : 'by itself';
    const report = catalogueReport(question, answers);
    if (report.verdict !== 'holds' || sides.after.choice.patches.length === 0) {
      return { report, ended };
    }
    const missed = await linesMissed(question.after, answers, {
      executions: question.executions,
      interrupted: interruption.signal,
    });
    return { report: catalogueReport(question, answers, missed), ended };
  } finally {
    process.off('SIGINT', interrupt);
    line.end();
  }
}

/** What the patches of the kernel after override. Of two kernels it is not known what differs. */
export function changedBetween(
  before: ScenarioChoice,
  after: ScenarioChoice,
): CatalogueQuestion['changed'] {
  const kernel = after.kernel ?? DEFAULT_KERNEL;
  if (after.drivers.size > 0) return 'all';
  if (before.patches.length > 0 || (before.kernel ?? DEFAULT_KERNEL) !== kernel) return 'all';
  const functions = kernelFunctions(kernel);
  return after.patches.flatMap((patch) => Object.keys(patch.overrides({ ...functions })));
}
