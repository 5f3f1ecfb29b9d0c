import type { KernelVersion } from '../kernel-version.ts';

/** What came after 6.12, as far as drivers are being changed for it. Read, not recorded. */
export const MAINLINE: KernelVersion = {
  id: 'mainline',
  source: 'mainline after 7.0, read from the sources and the lists; no recordings',
  base: '6.12',
  changes: [],
};
