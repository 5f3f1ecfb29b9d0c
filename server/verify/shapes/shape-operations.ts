/** What an actor of a shape can do, each as a program of one operation or of two that belong together. */
import type { Op } from '../../scenario/op-schema.ts';
import { PAGE, type ShapeMemory, TARGET } from './shape-memory.ts';

export interface ShapeOperation {
  readonly id: string;
  /** 'child': a thread of the forked process. */
  readonly by: 'cpu' | 'child' | 'device';
  readonly program: readonly Op[];
  /** Memories in which it is worth asking; absent: all. */
  readonly where?: (memory: ShapeMemory) => boolean;
}

const CPU: readonly ShapeOperation[] = [
  cpu('load', { do: 'load', at: PAGE, as: 'r' }),
  cpu('store', { do: 'store', at: PAGE, value: 2 }, { do: 'load', at: PAGE, as: 'r' }),
  cpu('munmap', { do: 'munmap', at: PAGE }),
  cpu('mprotect-none', { do: 'mprotect', at: PAGE, prot: 'none' }),
  cpu('mprotect-r', { do: 'mprotect', at: PAGE, prot: 'r' }),
  {
    ...cpu('mprotect-rw', { do: 'mprotect', at: PAGE, prot: 'rw' }),
    where: ({ id }) => id === 'read-only',
  },
  cpu('mremap', { do: 'mremap', at: PAGE, to: TARGET }),
  cpu('dontneed', { do: 'madvise', at: PAGE, advice: 'DONTNEED' }),
  cpu('free', { do: 'madvise', at: PAGE, advice: 'FREE' }),
  cpu('pageout', { do: 'madvise', at: PAGE, advice: 'PAGEOUT' }),
  cpu('fork', { do: 'fork', child: 'child2' }),
  cpu('oom-reap', { do: 'oom-reap' }),
  cpu('pin-get', { do: 'pin', at: PAGE, id: 2, mode: 'get' }, { do: 'unpin', id: 2 }),
  cpu('pin-longterm', { do: 'pin', at: PAGE, id: 3, mode: 'longterm' }, { do: 'unpin', id: 3 }),
];

const CHILDREN: readonly ShapeOperation[] = [
  ...['load', 'store', 'munmap', 'mprotect-r', 'mremap', 'dontneed'].flatMap((id) =>
    CPU.filter((one) => one.id === id).map((one) => child(`child-${id}`, ...one.program)),
  ),
  child('child-exit', { do: 'exit' }),
];

const DEVICE: readonly ShapeOperation[] = [
  device('prefetch', { do: 'prefetch', at: PAGE }),
  device('fault-read', { do: 'fault-read', at: PAGE }),
  device('fault-write', { do: 'fault-write', at: PAGE }),
  device('write', { do: 'write', at: PAGE, value: 3 }),
  device('migrate', { do: 'migrate', at: PAGE }),
  device('collect', { do: 'collect', at: PAGE }),
  device('migrate-to-sys', { do: 'migrate-to-sys', at: PAGE }),
  device('exclusive', { do: 'exclusive', at: PAGE }),
];

/** In the order in which pairs are named. */
export const SHAPE_OPERATIONS: readonly ShapeOperation[] = [...CPU, ...CHILDREN, ...DEVICE];

/** What a shape cannot hold, for whoever reads its verdict. */
export const NOT_IN_SHAPES: readonly string[] = [
  'files (private and shared file mappings)',
  'subscriptions to part of the range, and unsubscribing',
  'I/O through a pin',
  'more than one page that the operations are about',
  'partial ranges of a huge page, but for its first page',
];

function cpu(id: string, ...program: readonly Op[]): ShapeOperation {
  return { id, by: 'cpu', program };
}

function child(id: string, ...program: readonly Op[]): ShapeOperation {
  return { id, by: 'child', program, where: ({ processes }) => processes === 'child' };
}

function device(id: string, ...program: readonly Op[]): ShapeOperation {
  return { id, by: 'device', program };
}
