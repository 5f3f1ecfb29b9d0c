import type { KernelChange } from '../kernel-change.ts';

export const longtermPinsOfAnyFile: KernelChange = {
  since: '6.5',
  commit: 'io_uring: rsrc: delegate VMA file-backed check to GUP',
  summary: 'a long-term pin of an I/O buffer may span mappings of different files',
  overrides: () => ({ ioMayPinVmas: () => true }),
};
