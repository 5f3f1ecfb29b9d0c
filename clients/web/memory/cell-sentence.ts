/** A cell of the memory view as a sentence: for the line below it, and for a person who cannot see it. */
import { hexAddress, pageIndex } from '../../../server/vocabulary/address.ts';
import { bracketed, coherenceOf, MIRRORED_MM } from '../model/coherence.ts';
import type { LabModel } from '../model/lab-model.ts';
import { faceWords, mirrorFace, pteFace } from './cell-face.ts';
import type { Column } from './columns.ts';

export function cellSentence(model: LabModel, column: Column, page: number): string {
  const where = hexAddress(pageIndex(page));
  const pte = model.cpu.get(column.side === 'cpu' ? column.mm : MIRRORED_MM)?.get(page);
  const open = bracketed(model, page) ? ' An invalidation of this page is in flight.' : '';
  if (column.side === 'cpu') return `${where} ${column.name}: ${faceWords(pteFace(pte))}.${open}`;
  const face = mirrorFace(model.devices.get(column.name)?.get(page), pte);
  const own = `${where} ${column.name}: ${faceWords(face)}.`;
  const cpu = faceWords(pteFace(pte));
  switch (coherenceOf(model, column.name, page)) {
    case 'stale':
      return `${own} STALE: the CPU's entry is ${cpu}, and no invalidation is under way.`;
    case 'in-flight':
      return `${own} The CPU's entry is ${cpu}; an invalidation is in flight.`;
    case 'migrating':
      return `${own} The CPU's entry is ${cpu}; ${column.name} is migrating the page.`;
    case 'none':
    case 'agrees':
      return own + open;
  }
}
