/** The punch line: the newest read of a page after another actor's write, right or wrong. */
import type { LabModel } from '../model/lab-model.ts';

export interface PictureVerdict {
  readonly is: 'right' | 'wrong';
  readonly reader: string;
  /** A device reads through its mirror, and has to be told; a thread through the page table. */
  readonly through: 'mirror' | 'page table';
  readonly read: string;
  readonly writer: string;
  readonly wrote: string;
  readonly page: number;
  /** The event of the read. */
  readonly n: number;
}

/**
 * 'none' while nothing was read since the last write. Wrong is what an oracle has called wrong; right is what was
 * written last, read by another. What is neither (a read while the page moves) is no verdict.
 */
export function pictureVerdict(
  { values, actors }: LabModel,
  page: number,
): PictureVerdict | 'none' {
  const written = values.written.get(page);
  if (written === undefined) return 'none';
  let newest: PictureVerdict | 'none' = 'none';
  for (const read of values.reads.values()) {
    const { actor, against, judged, n, value } = read;
    if (read.page !== page || against === 'none' || against.n !== written.n) continue;
    const isRight = judged === 'fine' && value === written.value && actor !== written.actor;
    if (judged === 'fine' && !isRight) continue;
    if (newest !== 'none' && newest.n > n) continue;
    newest = {
      is: isRight ? 'right' : 'wrong',
      reader: actor,
      through: actors.get(actor)?.role === 'cpu' ? 'page table' : 'mirror',
      read: value,
      writer: written.actor,
      wrote: written.value,
      page,
      n,
    };
  }
  return newest;
}

/** Why, in one line. */
export function verdictReason({
  is,
  reader,
  writer,
  through,
}: Pick<PictureVerdict, 'is' | 'reader' | 'writer' | 'through'>): string {
  if (is === 'right') return `${reader} reads what ${writer} wrote`;
  if (through === 'page table') return `what ${writer} wrote is lost`;
  return `${reader} was not told that the page moved`;
}
