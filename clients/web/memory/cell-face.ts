/** What stands in a cell: the kind of the entry as glyph, word and tone, its frame, its rights. */
import type { PteEntry, SeenMirror } from '../model/lab-model.ts';

export type Tone =
  | 'empty'
  | 'zero'
  | 'present'
  | 'migration'
  | 'private'
  | 'exclusive'
  | 'swap'
  | 'poison';

export interface CellFace {
  readonly glyph: string;
  /** The kind, in the kernel's word. */
  readonly kind: string;
  /** Hexadecimal with 0x; empty where there is none. */
  readonly frame: string;
  /** `r`, `rw`, `x` (exclusive), or empty. */
  readonly rights: string;
  readonly tone: Tone;
  /** The frame that it leads to; -1 for none. */
  readonly pfn: number;
}

const NOTHING: CellFace = { glyph: '', kind: '', frame: '', rights: '', tone: 'empty', pfn: -1 };

export function pteFace(pte: PteEntry | undefined): CellFace {
  if (pte === undefined) return NOTHING;
  switch (pte.state) {
    case 'none':
      return NOTHING;
    case 'zero':
      return { glyph: '0', kind: 'zero page', frame: '', rights: 'r', tone: 'zero', pfn: 0 };
    case 'present':
      return framed('■', '', pte, 'present');
    case 'migration':
      return framed('⇄', 'migration', pte, 'migration');
    case 'device-private':
      return framed('▲', 'device', pte, 'private');
    case 'device-exclusive':
      return framed('◆', 'exclusive', pte, 'exclusive');
    case 'swap':
      return { ...NOTHING, glyph: '⇣', kind: 'swap', frame: `${pte.slot}`, tone: 'swap' };
    case 'poison':
      return { ...NOTHING, glyph: '✕', kind: 'poison', tone: 'poison' };
  }
}

/** `cpu` is the CPU's entry of the same page: a device that maps its own memory shows it as such. */
export function mirrorFace(entry: SeenMirror | undefined, cpu: PteEntry | undefined): CellFace {
  if (entry === undefined || entry.state === 'none') return NOTHING;
  const rights = { read: 'r', write: 'rw', exclusive: 'x' }[entry.access];
  if (entry.pfn === 0) {
    return { glyph: '0', kind: 'zero page', frame: '', rights, tone: 'zero', pfn: 0 };
  }
  const frame = hex(entry.pfn);
  const own = cpu?.state === 'device-private' && cpu.pfn === entry.pfn;
  if (own) return { glyph: '▲', kind: 'own', frame, rights, tone: 'private', pfn: entry.pfn };
  if (entry.access === 'exclusive') {
    return { glyph: '◆', kind: '', frame, rights, tone: 'exclusive', pfn: entry.pfn };
  }
  return { glyph: '■', kind: '', frame, rights, tone: 'present', pfn: entry.pfn };
}

/** A cell in a sentence: `frame 0x12 (rw)`. */
export function faceWords(face: CellFace): string {
  if (face.tone === 'empty') return 'nothing';
  const what = [face.kind, face.frame === '' ? '' : `${frameNoun(face)} ${face.frame}`]
    .filter(Boolean)
    .join(' ');
  return face.rights === '' ? what : `${what} (${face.rights})`;
}

function frameNoun({ tone }: CellFace): string {
  return tone === 'swap' ? 'slot' : 'frame';
}

function framed(
  glyph: string,
  kind: string,
  pte: { readonly pfn: number; readonly access: 'read' | 'write' },
  tone: Tone,
): CellFace {
  const rights = pte.access === 'read' ? 'r' : 'rw';
  return { glyph, kind, frame: hex(pte.pfn), rights, tone, pfn: pte.pfn };
}

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}
