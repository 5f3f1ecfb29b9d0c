import { type TaskContext, type TouchMode, touch } from '../../task/context.ts';
import { type ObjectId, objectId } from '../../task/object-id.ts';
import { RMAP_OWNERS } from '../../task/object-owners.ts';
import { newRwSem } from '../../task/rwsem.ts';
import type { MemoryFile } from './mm-types.ts';

export function newMemoryFile(context: TaskContext, id: number, sizePages: number): MemoryFile {
  const iMmapRwsem = newRwSem('i_mmap_rwsem', objectId('rmap_lock', RMAP_OWNERS.files, 2 * id));
  return { id, context, sizePages, pages: new Map(), vmas: [], iMmapRwsem };
}

/** The list of mappings of a file is looked at, or changed. */
export function touchMappings(file: MemoryFile, mode: TouchMode): void {
  touch(file.context, fileMappingsObject(file), mode);
}

/** What the list is called when tasks conflict on it. */
export function fileMappingsObject({ id }: MemoryFile): ObjectId {
  return objectId('rmap', RMAP_OWNERS.files, id);
}
