import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

/** Odd, so that different executions of one seed get different generators. */
const EXECUTION_STRIDE = 0x9e3779b1;

/**
 * Numbers from 0 up to 1, excluded: the same for the same seed and execution, in whichever thread and order.
 */
export function streamOf(seed: number, execution: number): () => number {
  const generator = xoroshiro128plus((seed ^ Math.imul(execution + 1, EXECUTION_STRIDE)) | 0);
  return () => uniformFloat64(generator);
}
