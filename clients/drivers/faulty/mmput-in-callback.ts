import { dmirrorWith } from '../dmirror/dmirror-variant.ts';
import type { DriverVariant } from '../interface/driver-variant.ts';

/**
 * Race 40, first form: the process exits while the callback holds a reference, which is then the last. What takes the
 * address space down waits for locks of the task that waits for the callback.
 */
export const mmputInCallback: DriverVariant = {
  id: 'mmput-in-callback',
  provenance:
    `amdkfd until "drm/amdkfd: Don't call mmput from MMU notifier callback" (a7eb0a25010a): ` +
    'svm_range_cpu_invalidate_pagetables() took a reference and dropped it',
  summary: 'takes a reference on the mm at the begin of its callback, and drops it at the end',
  newDevice: (options) => {
    const device = dmirrorWith(options, {}, 'nothing');
    const { callbacks } = device;
    return {
      ...device,
      callbacks: {
        ...callbacks,
        *invalidate(sub, range, seq) {
          // As the original: nothing to do for a process whose end tells of itself.
          if (range.event === 'release') return yield* callbacks.invalidate(sub, range, seq);
          const taken = yield* options.api.mmgetNotZero();
          const answer = yield* callbacks.invalidate(sub, range, seq);
          if (taken) yield* options.api.mmput();
          return answer;
        },
      },
    };
  },
};
