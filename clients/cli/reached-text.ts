/** What ran of the kernel, in one line. */
import { counted } from '../../server/report/lines/counted.ts';
import { countPairs, type PairsReached } from '../../server/scheduler/point-pairs.ts';
import { FUNCTIONS_ALL } from '../../server/verify/coverage/coverage-table.ts';

/** `reached: 41 of 93 kernel functions, 812 pairs of 118 yield points`. */
export function reachedText(functions: readonly string[], pairs?: PairsReached): string {
  const said = `reached: ${functions.length} of ${FUNCTIONS_ALL.length} kernel functions`;
  if (pairs === undefined) return said;
  const counts = countPairs(pairs);
  return `${said}, ${counted(counts.pairs, 'pair')} of ${counted(counts.points, 'yield point')}`;
}
