import type { KernelChange } from '../kernel-change.ts';

export const exclusivePartsOfHugePages: KernelChange = {
  since: '6.15',
  commit: 'mm: fixes for device-exclusive entries (hmm), series of February 2025',
  summary: 'make_device_exclusive() takes any part of a huge page, whose entry it splits',
  overrides: () => ({ mayMakeExclusive: () => true }),
};
