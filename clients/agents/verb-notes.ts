/** What the verbs of the ready-made clients do, for the documents. */
import type { Type } from 'typebox';
import { CPU_CALLS, isCpuCall } from '../../server/abi/cpu-calls.ts';
import { CPU_VERBS } from './cpu-verbs.ts';
import { DEVICE_VERBS } from './device-verbs.ts';

interface VerbNote {
  readonly verb: string;
  readonly fields: Type.TSchema;
  readonly meaning: string;
  readonly result: string;
  readonly instead?: string;
}

export const DEVICE_VERB_NOTES: readonly VerbNote[] = Object.entries(DEVICE_VERBS).map(
  ([verb, spec]) => ({
    verb,
    fields: spec.params,
    meaning: spec.meaning,
    result: spec.result,
    ...('of' in spec ? { instead: spec.nearest === undefined ? '' : `\`${spec.nearest}\`` } : {}),
  }),
);

export const CPU_VERB_NOTES: readonly VerbNote[] = Object.entries(CPU_VERBS).map(
  ([verb, spec]) => ({
    verb,
    fields: spec.params,
    meaning: isCpuCall(verb) ? `As the method ${verb}.` : spec.meaning,
    result: typeof spec.result === 'string' ? spec.result : answerWords(verb as never),
  }),
);

/** As answerOf() makes it. */
function answerWords(call: keyof typeof CPU_CALLS): string {
  const { kind, result } = CPU_CALLS[call];
  if (kind === 'access') {
    return `\`{${'value' in result.properties ? 'value' : 'ok: true'}}\` or \`{signal}\``;
  }
  return 'pinned' in result.properties ? '`{errno, npages}`' : '`{errno}`';
}
