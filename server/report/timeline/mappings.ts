/** The mappings of each process as far as a log has them. */
import type { Event } from '../../abi/event.ts';
import { threadOfSpan } from './spans.ts';

type Change = Extract<Event, { kind: 'vma' }>;

export interface MappingSeen {
  readonly first: number;
  readonly end: number;
  readonly prot: string;
  /** `anon-private`, `file-shared` ...; 'unknown' if it is older than the log. */
  readonly kind: string;
}

/** By mm, sorted by address, neighbours that are alike merged. `events` in order. */
export function mappingsAfter(events: readonly Event[]): Map<number, readonly MappingSeen[]> {
  const mappings = new Map<number, readonly MappingSeen[]>();
  const unmapped = new Map<string, string>();
  for (const event of events) {
    if (event.kind !== 'vma') continue;
    const before = mappings.get(event.mm) ?? [];
    const covered = before.filter(({ first, end }) => first < event.end && event.first < end);
    const kept = before.flatMap((mapping) => without(mapping, event));
    const thread = threadOfSpan(event);
    if (event.change === 'munmap') {
      mappings.set(event.mm, kept);
      if (covered[0] !== undefined) unmapped.set(thread, covered[0].kind);
      continue;
    }
    // mremap() unmaps the old place first, and that says what the new one is.
    const kind = kindOf(event) ?? covered[0]?.kind ?? unmapped.get(thread) ?? 'unknown';
    const { first, end, prot } = event;
    mappings.set(event.mm, merged([...kept, { first, end, prot, kind }]));
  }
  return mappings;
}

/** `mmap anon-private` */
function kindOf({ change }: Change): string | undefined {
  return /^mmap (\S+)/.exec(change)?.[1];
}

function without(mapping: MappingSeen, { first, end }: Change): MappingSeen[] {
  if (end <= mapping.first || mapping.end <= first) return [mapping];
  return [
    { ...mapping, end: first },
    { ...mapping, first: end },
  ].filter((part) => part.first < part.end);
}

function merged(mappings: readonly MappingSeen[]): MappingSeen[] {
  const result: MappingSeen[] = [];
  for (const mapping of mappings.toSorted((a, b) => a.first - b.first)) {
    const before = result.at(-1);
    const alike = before?.prot === mapping.prot && before.kind === mapping.kind;
    if (before !== undefined && alike && before.end === mapping.first) {
      result[result.length - 1] = { ...before, end: mapping.end };
    } else {
      result.push(mapping);
    }
  }
  return result;
}
