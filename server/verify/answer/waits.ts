import type { Stuck, Wait as Waiting } from '../../explorer/stuck.ts';
import type { ReportWait } from '../../report/report-meta.ts';

/** The circle, or the tasks that wait in vain, as lockdep would have it: the next one holds what this one wants. */
export function waitsOf({ stuck }: { readonly stuck?: Stuck }): ReportWait[] {
  if (stuck === undefined) return [];
  const { chain, kind } = stuck;
  return chain.map((wait, at) => {
    const before = kind === 'deadlock' ? chain.at(at - 1) : chain[at - 1];
    const held = wait.holds.find(({ what }) => what === before?.wants) ?? wait.holds.at(-1);
    return {
      task: `${wait.actor} ${wait.task}`,
      holds: before === undefined ? shortName(held?.what ?? '') : shortName(before.wants),
      heldSince: held?.at ?? sinceOf(before, wait),
      wants: shortName(wait.wants),
      waitsAt: wait.waitsAt,
    };
  });
}

function sinceOf(before: Waiting | undefined, holder: Waiting): string {
  const since = before?.heldBy.find(
    ({ actor, task }) => actor === holder.actor && task === holder.task,
  );
  return since?.at ?? '';
}

/** `driver_lock`, as lockdep names locks: by their class. */
function shortName(name: string): string {
  return name.replace(/ of .*$/, '');
}
