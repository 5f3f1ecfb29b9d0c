import { userfaultfdMove } from '../../memory/userfault-move.ts';
import type { KernelChange } from '../kernel-change.ts';

export const userfaultfdMovesPages: KernelChange = {
  since: '6.8',
  commit: 'userfaultfd: UFFDIO_MOVE uABI (adef440691ba)',
  summary: 'userfaultfd moves pages from one place to another (UFFDIO_MOVE)',
  overrides: () => ({ userfaultfdMove }),
};
