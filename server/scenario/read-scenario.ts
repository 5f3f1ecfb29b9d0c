/** From the text of a file to a scenario that can be run, or everything that is wrong with it. */
import { Compile } from 'typebox/compile';
import { checkScenario } from './check-scenario.ts';
import { Scenario } from './scenario-schema.ts';
import { differences } from './schema-problems.ts';
import { type Problem, readYaml } from './yaml-source.ts';

export type ReadScenario =
  | { readonly ok: true; readonly scenario: Scenario }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** Problems listed of one file; more of them only repeat the first. */
export const PROBLEMS_MAX = 20;

const validator = Compile(Scenario);

/** `file` is how problems call it. */
export function readScenario(text: string, file: string): ReadScenario {
  const yaml = readYaml(text, file);
  if (!yaml.ok) return failed(yaml.problems);
  const { source } = yaml;
  const { value } = source;
  if (!validator.Check(value)) {
    const found = differences(Scenario, value);
    if (found.length === 0) {
      return failed([source.problem([], 'expected a scenario that fits scenario.schema.json')]);
    }
    return failed(found.map(({ path, message, part }) => source.problem(path, message, part)));
  }
  const problems = checkScenario(value, source);
  return problems.length > 0 ? failed(problems) : { ok: true, scenario: value };
}

/** A scenario that did not come from a file: does it say anything that its file could not? */
export function fitsScenario(scenario: Scenario): boolean {
  const nowhere = { file: '', line: 0, column: 0, path: '', message: '' };
  return (
    validator.Check(scenario) &&
    checkScenario(scenario, { problem: (_path, message) => ({ ...nowhere, message }) }).length === 0
  );
}

function failed(problems: readonly Problem[]): ReadScenario {
  const sorted = problems.toSorted((a, b) => a.line - b.line || a.column - b.column);
  return { ok: false, problems: sorted.slice(0, PROBLEMS_MAX) };
}
