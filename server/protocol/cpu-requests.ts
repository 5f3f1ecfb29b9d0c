/** What a CPU client may ask: the table of CPU calls (abi/cpu-calls.ts) as methods. Addresses are byte addresses. */
import { Type } from 'typebox';
import { CPU_CALLS, type CpuCallName, type CpuCallParams } from '../abi/cpu-calls.ts';
import { strict, word } from '../abi/scalars.ts';
import { CODE_OF_ERRNO } from './error-codes.ts';
import type { RequestSpec } from './request-spec.ts';

const signal = strict({ signal: word('SIGSEGV', 'SIGBUS') });

function requestOf(name: CpuCallName): RequestSpec {
  const { meaning, errnos, params, result, kind } = CPU_CALLS[name];
  const [subject] = Object.keys(params.properties);
  return {
    meaning,
    errors: errnos.map((errno) => CODE_OF_ERRNO[errno]),
    sends: 'no-pages',
    answers: 'no-pages',
    params,
    result: kind === 'access' ? Type.Union([result, signal]) : result,
    subject: subject === undefined ? 'params' : `params.${subject}`,
  };
}

export type CpuMethod = CpuCallName;
export type CpuParams = CpuCallParams;
export type CpuResults = {
  readonly [Method in CpuMethod]: (typeof CPU_CALLS)[Method]['kind'] extends 'access'
    ? Type.Static<(typeof CPU_CALLS)[Method]['result']> | Type.Static<typeof signal>
    : Type.Static<(typeof CPU_CALLS)[Method]['result']>;
};

export const CPU_REQUESTS = Object.fromEntries(
  (Object.keys(CPU_CALLS) as CpuMethod[]).map((name) => [name, requestOf(name)]),
) as { readonly [Method in CpuMethod]: RequestSpec };
