import type { Event, EventBody } from '../abi/event.ts';
import { assertNever } from '../vocabulary/invariant.ts';
import {
  addressWords,
  argumentWords,
  frameWords,
  mirrorWords,
  pteChangeWords,
  rangeWords,
} from './event-words.ts';

/** One event as one line for terminals and logs: number, actor, what happened. Any width. */
export function describeEvent(event: Event): string {
  return `${String(event.n).padStart(5)} ${event.actor.padEnd(8)} ${describeBody(event)}`;
}

/** What happened, without who and when. */
export function describeBody(event: EventBody): string {
  switch (event.kind) {
    case 'attach':
      return `attaches as ${event.role}`;
    case 'detach':
      return 'detaches';
    case 'fenced':
      return `${event.device} is fenced: its DMA is refused from now on`;
    case 'call':
      return `${event.function}(${argumentWords(event.args)})`;
    case 'return':
      return `${event.function} = ${event.result}`;
    case 'callback':
      return `-> ${event.device}: ${event.function}(${argumentWords(event.args)})`;
    case 'callback-return':
      return `<- ${event.device}: ${event.function} = ${event.result}`;
    case 'pte':
      return `PTE ${inMm(event.mm)}${addressWords(event.page)}: ${pteChangeWords(event.from, event.to)}`;
    case 'invalidate_range_start':
      return (
        `invalidate_range_start ${inMm(event.mm)}${rangeWords(event.first, event.end)} ` +
        `(${event.event}, owner ${event.owner})`
      );
    case 'invalidate_range_end':
      return `invalidate_range_end ${inMm(event.mm)}${rangeWords(event.first, event.end)}`;
    case 'mirror':
      return (
        `${event.device} mirror ${addressWords(event.page)}: ` +
        `${mirrorWords(event.from)} -> ${mirrorWords(event.to)}`
      );
    case 'device-access':
      return (
        `${event.device} ${event.mode} ${addressWords(event.page)} = ${event.value} ` +
        `(${event.memory} ${frameWords(event.pfn)})`
      );
    case 'cpu-access':
      return (
        `${event.mode === 'read' ? 'load' : 'store'} ${inMm(event.mm)}${addressWords(event.page)} = ` +
        `${event.value} (${frameWords(event.pfn)})`
      );
    case 'pin-access':
      return (
        `${event.mode} ${inMm(event.mm)}${addressWords(event.page)} = ${event.value} ` +
        `through pin ${event.id} (${frameWords(event.pfn)})`
      );
    case 'signal':
      return `${event.signal} at ${inMm(event.mm)}${addressWords(event.page)}`;
    case 'migration-end':
      return `${event.device} finalized migration ${event.id}`;
    case 'fault':
      return `${event.mode} fault at ${inMm(event.mm)}${addressWords(event.page)}`;
    case 'tlb-flush':
      return `flush TLB ${inMm(event.mm)}${rangeWords(event.first, event.end)}`;
    case 'frame-alloc':
      return `allocate ${frameWords(event.pfn)}`;
    case 'frame-free':
      return `free ${frameWords(event.pfn)}`;
    case 'vma':
      return `${event.change} ${inMm(event.mm)}${rangeWords(event.first, event.end)} ${event.prot}`;
    case 'lock':
      return `lock ${event.lock} (${event.mode})`;
    case 'unlock':
      return `unlock ${event.lock}`;
    case 'violation':
      return (
        `VIOLATION [${event.rule}] ${event.oracle}: ${event.device} at ` +
        `${addressWords(event.page)}: ${event.text}`
      );
    case 'note':
      return `* ${event.text}`;
    default:
      return assertNever(event);
  }
}

/** The first address space is the one that everybody means. */
function inMm(mm: number): string {
  return mm === 0 ? '' : `mm${mm} `;
}
