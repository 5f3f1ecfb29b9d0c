/** The verbs that the agents perform, as lines of the prompt: they follow from the tables of calls and verbs. */
import type { Type } from 'typebox';
import type { VerbHelp } from '../../../../server/abi/verb-help.ts';
import { CPU_VERBS } from '../../../agents/cpu-verbs.ts';
import { DEVICE_VERBS } from '../../../agents/device-verbs.ts';
import type { AskedVerb, PromptRole } from '../verb.ts';
import { answerWords } from './answers.ts';
import { argumentsOf, questionOf } from './arguments.ts';

/** Headings, in the order of help. Others come behind them. */
const GROUPS = [
  'mappings',
  'memory',
  'migration',
  'migration by hand',
  'exclusive access',
  'loops',
];

interface Spec {
  readonly params: Type.TObject;
  readonly help: VerbHelp | 'none';
}

export const ASKED_VERBS: readonly AskedVerb[] = [
  ...askedVerbs('device', DEVICE_VERBS),
  ...askedVerbs('cpu', CPU_VERBS),
];

function askedVerbs(role: PromptRole, table: { readonly [name: string]: Spec }): AskedVerb[] {
  return Object.entries(table)
    .flatMap(([name, { params, help }]) => {
      if (help === 'none') return [];
      const verb: AskedVerb = {
        ...help,
        name,
        does: 'ask',
        roles: [role],
        arguments: argumentsOf(params, help),
        params: (values) => questionOf(name, params, values),
        answer: answerWords(name),
      };
      return [verb];
    })
    .sort((one, other) => placeOf(one) - placeOf(other));
}

function placeOf({ group }: AskedVerb): number {
  const at = GROUPS.indexOf(group);
  return at < 0 ? GROUPS.length : at;
}
