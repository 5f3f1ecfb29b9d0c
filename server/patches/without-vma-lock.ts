import type { KernelFunctions } from '../kernel/kernel.ts';
import { type InsideFunction, insideFunction } from './inside-function.ts';

/** Leaves out vma_start_write() in a kernel function: page faults run beside what is done `during` it. */
export interface WithoutVmaLock extends Pick<InsideFunction, 'during'> {
  readonly override: Pick<KernelFunctions, 'vmaStartWrite'>;
}

export function withoutVmaLock(stock: KernelFunctions): WithoutVmaLock {
  const { during, isHere } = insideFunction();
  return {
    during,
    override: {
      *vmaStartWrite(k, mm, vma) {
        if (!isHere(k)) yield* stock.vmaStartWrite(k, mm, vma);
      },
    },
  };
}
