/** The mappings of address spaces, as the events of mmap, munmap, mprotect and mremap leave them. */
export interface SeenVma {
  readonly mm: number;
  readonly first: number;
  readonly end: number;
  readonly prot: string;
  /** `anon-private` and so on; empty where only a snapshot told of it. */
  readonly kind: string;
}

export interface VmaChange {
  readonly mm: number;
  readonly first: number;
  readonly end: number;
  /** `mmap anon-private`, `munmap`, `mprotect`, `mremap`. */
  readonly change: string;
  readonly prot: string;
}

/** Returns: the mappings after `change`, by address. */
export function applyVma(vmas: readonly SeenVma[], change: VmaChange): readonly SeenVma[] {
  const { mm, first, end, prot } = change;
  const before = vmas.find((vma) => vma.mm === mm && vma.first < end && first < vma.end);
  const rest = vmas.flatMap((vma) => (vma.mm === mm ? without(vma, first, end) : [vma]));
  const [verb = '', kind = before?.kind ?? ''] = change.change.split(' ');
  if (verb === 'munmap') return rest;
  return [...rest, { mm, first, end, prot, kind }].sort((a, b) => a.mm - b.mm || a.first - b.first);
}

function without(vma: SeenVma, first: number, end: number): SeenVma[] {
  if (vma.end <= first || end <= vma.first) return [vma];
  const below = vma.first < first ? [{ ...vma, end: first }] : [];
  const above = end < vma.end ? [{ ...vma, first: end }] : [];
  return [...below, ...above];
}
