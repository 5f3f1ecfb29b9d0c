/**
 * What a kernel's state looks like in the format of traces: the views of page tables and the
 * mapping lists. Looks at state only; nothing is faulted, nothing is locked.
 */

import type { DeviceOwner } from '../../abi/device-api.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import { hasFlag, PAGE_ANON } from '../../kernel/memory/frames.ts';
import type { Mm } from '../../kernel/memory/mm.ts';
import type { Vma } from '../../kernel/memory/mm-types.ts';
import { pgmapOf } from '../../kernel/memory/page-references.ts';
import { readPte } from '../../kernel/memory/page-table.ts';
import { type Pte, pteKind, ptePfn, pteSwapSlot, pteWrite } from '../../kernel/memory/pte.ts';
import { isShared, vmaLookup } from '../../kernel/memory/vma.ts';
import { hexAddress, nextPage, type PageIndex } from '../../vocabulary/address.ts';
import type { TraceSpans, TraceState, TraceVma, TraceVmas } from './trace-state.ts';

/** The processes and devices whose views a trace shows. */
export interface Viewed {
  readonly kernel: Kernel;
  readonly cpu0: Mm;
  readonly cpu1: Mm | 'none';
  readonly devices: readonly [dev0: DeviceOwner, dev1: DeviceOwner];
}

export function viewState(viewed: Viewed): TraceState {
  const { kernel, cpu0, cpu1, devices } = viewed;
  const state: TraceState = {
    cpu0: spansOf(cpu0, (page) => cpuChar(kernel, readPte(cpu0.table, page))),
    dev0: spansOf(cpu0, (page, vma) => deviceChar(kernel, devices[0], cpu0, page, vma)),
    dev1: spansOf(cpu0, (page, vma) => deviceChar(kernel, devices[1], cpu0, page, vma)),
  };
  if (cpu1 === 'none') return state;
  return {
    ...state,
    cpu1: spansOf(cpu1, (page) => cpuChar(kernel, readPte(cpu1.table, page))),
    same: spansOf(cpu1, (page) => sameChar(cpu0, cpu1, page)),
  };
}

export function viewVmas(viewed: Viewed): TraceVmas {
  const { cpu0, cpu1 } = viewed;
  const own = cpu0.vmas.map(vmaView);
  return cpu1 === 'none' ? { cpu0: own } : { cpu0: own, cpu1: cpu1.vmas.map(vmaView) };
}

function vmaView(vma: Vma): TraceVma {
  const read = vma.prot === 'none' ? '-' : 'r';
  const write = vma.prot === 'rw' ? 'w' : '-';
  const perms = `${read}${write}-${isShared(vma) ? 's' : 'p'}`;
  return [hexAddress(vma.first), hexAddress(vma.end), perms];
}

/** One character for each mapped page, joined where ranges touch. */
function spansOf(mm: Mm, charOf: (page: PageIndex, vma: Vma) => string): TraceSpans {
  const spans: { [start: string]: string } = {};
  let start = '';
  let end: PageIndex | 'none' = 'none';
  for (const vma of mm.vmas) {
    if (vma.first !== end) {
      start = hexAddress(vma.first);
      spans[start] = '';
    }
    for (let page = vma.first; page < vma.end; page = nextPage(page)) {
      spans[start] += charOf(page, vma);
    }
    end = vma.end;
  }
  return spans;
}

function cpuChar(kernel: Kernel, pte: Pte): string {
  const kind = pteKind(pte);
  switch (kind) {
    case 'none':
      return '.';
    case 'zero':
      return 'z';
    case 'present':
      return hasFlag(kernel.frames, ptePfn(pte), PAGE_ANON) ? 'a' : 'f';
    case 'device-private':
      return pteWrite(pte) ? 'P' : 'p';
    case 'device-exclusive':
      return pteWrite(pte) ? 'X' : 'x';
    case 'migration':
      return 'm';
    case 'swap':
      return 's';
    case 'poison':
      // Not a character of the format: no trace has poison, so this shows as a difference.
      return '!';
  }
}

/** What hmm_range_fault() without faulting reports. */
function deviceChar(kernel: Kernel, owner: DeviceOwner, mm: Mm, page: PageIndex, vma: Vma): string {
  if (vma.prot === 'none') return 'e';
  const pte = readPte(mm.table, page);
  switch (pteKind(pte)) {
    case 'zero':
      return 'z';
    case 'present':
      return pteWrite(pte) ? 'w' : 'r';
    case 'device-private':
      if (pgmapOf(kernel, ptePfn(pte)).device !== owner) return '.';
      return pteWrite(pte) ? 'L' : 'l';
    case 'none':
    case 'device-exclusive':
    case 'migration':
    case 'swap':
    case 'poison':
      return '.';
  }
}

function sameChar(parent: Mm, child: Mm, page: PageIndex): string {
  if (vmaLookup(parent.vmas, page) === 'none') return '.';
  const [a, b] = [readPte(parent.table, page), readPte(child.table, page)];
  if (pteKind(a) === 'none' || pteKind(b) === 'none') return '.';
  return backing(a) === backing(b) ? '=' : '-';
}

/** What holds the data of an entry: one name for the entries that share it. */
function backing(pte: Pte): string {
  const kind = pteKind(pte);
  if (kind === 'zero') return 'zero';
  return kind === 'swap' ? `slot ${pteSwapSlot(pte)}` : `frame ${ptePfn(pte)}`;
}
