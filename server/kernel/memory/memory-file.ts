import type { TaskContext } from '../../task/context.ts';
import type { MemoryFile } from './mm-types.ts';

export function newMemoryFile(context: TaskContext, id: number, sizePages: number): MemoryFile {
  return { id, context, sizePages, pages: new Map(), vmas: [], changes: 0 };
}
