import type { MemoryFile } from './mm-types.ts';

export function newMemoryFile(id: number, sizePages: number): MemoryFile {
  return { id, sizePages, pages: new Map(), vmas: [], changes: 0 };
}
