/** An event in very few words, for beside its mark. describe-event.ts has the whole sentence. */

import type { Event } from '../../../server/abi/event.ts';
import { mirrorWords, pteWords } from '../../../server/report/event-words.ts';

export function eventLabel(event: Event): string {
  switch (event.kind) {
    case 'pte':
      return `PTE → ${pteWords(event.to)}`;
    case 'mirror':
      return event.to.state === 'none' ? 'drops its entry' : `maps ${mirrorWords(event.to)}`;
    case 'device-access':
    case 'cpu-access':
    case 'pin-access':
      return `${event.mode === 'read' ? 'reads' : 'writes'} ${event.value}`;
    case 'fault':
      return `${event.mode} fault`;
    case 'signal':
      return event.signal;
    case 'callback-return':
      return event.result;
    case 'return':
      return event.result === 'OK' ? '' : event.result;
    case 'frame-alloc':
      return 'allocates';
    case 'frame-free':
      return 'frees';
    case 'tlb-flush':
      return 'flushes TLB';
    case 'vma':
      return event.change;
    case 'attach':
      return 'joins';
    case 'detach':
      return 'leaves';
    case 'fenced':
      return 'fenced';
    case 'violation':
      return event.oracle;
    case 'note':
      return event.text;
    case 'call':
    case 'callback':
    case 'invalidate_range_start':
    case 'invalidate_range_end':
    case 'migration-end':
    case 'lock':
    case 'unlock':
      return '';
  }
}
