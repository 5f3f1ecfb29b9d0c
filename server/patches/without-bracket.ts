import type { KernelFunctions } from '../kernel/kernel.ts';
import { fail } from '../vocabulary/errno.ts';
import { type InsideFunction, insideFunction } from './inside-function.ts';

/** Leaves out the bracket that kernel functions have around their change: what is done `during` notifies no device. */
export interface WithoutBracket extends Pick<InsideFunction, 'during'> {
  readonly override: Pick<KernelFunctions, 'mmuNotifierInvalidateRangeStart'>;
}

/** Who is told that no bracket could be started goes on all the same, and ends none. */
export function withoutBracket(stock: KernelFunctions): WithoutBracket {
  const { during, isHere } = insideFunction();
  return {
    during,
    override: {
      *mmuNotifierInvalidateRangeStart(k, mm, request) {
        if (isHere(k)) return fail('EAGAIN');
        return yield* stock.mmuNotifierInvalidateRangeStart(k, mm, request);
      },
    },
  };
}
