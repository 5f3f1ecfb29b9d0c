/** What a choice did, in a few words for a reader who has never read the kernel. */
import type { Event, PteView } from '../../../server/abi/event.ts';
import type { Move } from './game.ts';

export function moveWords({ event }: Move): string {
  return event === 'none' ? 'goes on, unseen' : eventWords(event);
}

function eventWords(event: Event): string {
  switch (event.kind) {
    case 'invalidate_range_start':
      return 'a sweep begins';
    case 'invalidate_range_end':
      return 'the sweep ends';
    case 'pte':
      return `entry: ${entryWords(event.from)} → ${entryWords(event.to)}`;
    case 'mirror':
      return event.to.state === 'none' ? 'forgets its mirror' : 'makes a mirror';
    case 'device-access':
    case 'cpu-access':
    case 'pin-access':
      return `${event.mode === 'read' ? 'reads' : 'writes'} ${event.value}`;
    case 'signal':
      return event.signal;
    case 'tlb-flush':
      return 'the TLBs are flushed';
    case 'frame-free':
      return 'a frame is freed';
    case 'migration-end':
      return 'the migration ends';
    default:
      return event.kind;
  }
}

function entryWords({ state }: PteView): string {
  switch (state) {
    case 'none':
      return 'nothing';
    case 'zero':
      return 'zero page';
    case 'present':
      return 'a page';
    case 'migration':
      return 'moving';
    case 'device-private':
      return 'device page';
    default:
      return state;
  }
}
