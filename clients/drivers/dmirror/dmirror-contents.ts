/** What stands at the objects of a dmirror, for an explorer that compares states. */
import { type ObjectId, objectName } from '../../../server/task/object-id.ts';
import { PAGES_MAX, type PageIndex, type Pfn } from '../../../server/vocabulary/address.ts';
import { readU64 } from '../../../server/vocabulary/page-contents.ts';
import { type DeviceMemory, homeOfFrame, readDeviceFrame } from '../hardware/device-memory.ts';
import type { Dmirror } from './dmirror-state.ts';

/** As LabDevice.contentOf(): of dmirror's own state, and nothing that a variant keeps beside it. */
export function contentOfDmirror(dmirror: Dmirror, object: ObjectId): string | number | 'unknown' {
  const { pageTable, memory, mm } = dmirror;
  const { kind, index } = objectName(object);
  switch (kind) {
    case 'mirror': {
      if (index === PAGES_MAX) return [...pageTable.entries.keys()].sort((a, b) => a - b).join();
      const entry = pageTable.entries.get(index as PageIndex);
      return entry === undefined ? 'none' : `${entry.pfn} ${entry.access}`;
    }
    case 'driver_lock':
      // What it guards are objects of their own.
      return 0;
    case 'device':
      return mm;
    case 'device_memory':
      return index === 0 ? freeFrames(memory) : frameText(memory, index as Pfn);
    default:
      return 'unknown';
  }
}

function freeFrames({ chunks, freed, frames }: DeviceMemory): string {
  let text = freed.join();
  for (const { first, count, state, touched } of chunks) {
    text += ` ${first} ${count} ${state} ${touched}`;
  }
  for (const frame of frames.keys()) text += ` ${frame}`;
  return text;
}

function frameText(memory: DeviceMemory, frame: Pfn): string {
  return `${readU64(readDeviceFrame(memory, frame), 0)} ${homeOfFrame(memory, frame)}`;
}
