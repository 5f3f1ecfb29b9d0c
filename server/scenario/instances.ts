/** The actors of a scenario with its parameters filled in: a template with a count becomes that many instances. */
import type { Op } from './op-schema.ts';
import type { Scenario, ScenarioActor } from './scenario-schema.ts';
import { parseWaitedFor } from './waited-for.ts';

export interface Instance {
  /** `reader1` for a template with a count, else the template's own name. */
  readonly name: string;
  /** The name of the actor in the file. */
  readonly template: string;
  /** 'kernel': a thread of the kernel, as kswapd. */
  readonly kind: 'cpu' | 'device' | 'kernel';
  readonly driver: string;
  readonly memoryPages: number;
  readonly pgmapOwner: string | undefined;
  /** One list of operations for each thread; none for an actor that only serves others. */
  readonly threads: readonly (readonly Op[])[];
}

export const DEFAULT_DRIVER = 'dmirror';
/** Few: a world is built for each execution. */
const DEFAULT_MEMORY_PAGES = 2;

export interface Parameters {
  readonly [name: string]: number;
}

/** The parameters of the file, with those of `given` in their place. */
export function parametersOf(scenario: Scenario, given: Parameters): Parameters {
  return { ...scenario.parameters, ...given };
}

/** The number of instances: a whole number, or less than 0 or not a number where the parameters do not fit. */
export function countOf(count: ScenarioActor['count'], parameters: Parameters): number {
  if (count === undefined) return 1;
  if (typeof count === 'number') return count;
  const [minuend, subtrahend] = count.split(' - ');
  const first = parameters[minuend ?? ''] ?? Number.NaN;
  return subtrahend === undefined ? first : first - (parameters[subtrahend] ?? Number.NaN);
}

export function instancesOf(scenario: Scenario, parameters: Parameters): Instance[] {
  return scenario.actors.flatMap((actor) => {
    const names =
      actor.count === undefined
        ? [actor.name]
        : Array.from(
            { length: Math.max(0, countOf(actor.count, parameters)) },
            (_, at) => `${actor.name}${at}`,
          );
    return names.map((name) => ({
      name,
      template: actor.name,
      kind: actor.kind,
      driver: actor.driver ?? DEFAULT_DRIVER,
      memoryPages: actor.memoryPages ?? DEFAULT_MEMORY_PAGES,
      pgmapOwner: actor.pgmapOwner,
      threads: actor.threads ?? (actor.program === undefined ? [] : [actor.program]),
    }));
  });
}

/**
 * Groups of actors that can change places without anybody noticing: instances of one template that nothing else
 * names one by one.
 */
export function symmetricGroups(scenario: Scenario, instances: readonly Instance[]): string[][] {
  const named = new Set((scenario.setup ?? []).map(({ actor }) => actor));
  const ops = [...(scenario.setup ?? []), ...instances.flatMap(({ threads }) => threads.flat())];
  for (const op of ops) {
    if (op.do === 'wait') named.add(parseWaitedFor(op.for).actor);
    if (op.do === 'repeat' && op.until !== undefined) named.add(parseWaitedFor(op.until).actor);
    if (op.do === 'fork') named.add(op.child);
  }
  for (const { by } of scenario.window ?? []) if (by !== undefined) named.add(by);
  for (const expression of Object.values(scenario.condition ?? {})) {
    for (const [word] of expression.matchAll(/[A-Za-z0-9_-]+/g)) named.add(word);
  }
  const groups = new Map<string, string[]>();
  for (const { name, template } of instances) {
    if (named.has(name)) continue;
    const group = groups.get(template);
    if (group === undefined) groups.set(template, [name]);
    else group.push(name);
  }
  return [...groups.values()].filter((group) => group.length > 1);
}
