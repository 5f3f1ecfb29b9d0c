/** What a person sees who looks around: page tables, mappings, the log, the others. */
import { describeEvent } from '../../../server/report/describe-event.ts';
import { addressWords, frameWords, pteWords } from '../../../server/report/event-words.ts';
import { kernelLabel } from '../../../server/report/lines/kernel-label.ts';
import type { DeviceEntry } from '../../agents/hand-verbs.ts';
import type { VerbResult } from '../../sdk/conductor.ts';
import { concerns, type PromptClient } from './concern.ts';
import type { PromptLabView } from './lab-view.ts';
import { mappingName } from './place.ts';

/** In words and as data. */
export interface ShownTable {
  readonly text: string;
  readonly result?: VerbResult;
}

const ADDRESS_COLUMNS = 14;

/** `result` is the answer of the verb page-table. */
export function devicePageTable(result: VerbResult): ShownTable {
  const entries = (result.entries ?? []) as readonly DeviceEntry[];
  const lines = entries.map(({ page, pfn, access, memory }) => {
    const at = addressWords(page).padEnd(ADDRESS_COLUMNS);
    return `${at} ${access.padEnd(9)} ${frameWords(pfn).padEnd(18)} ${memory}`;
  });
  return { text: lines.join('\n') || 'no entry', result };
}

export function cpuPageTable(view: PromptLabView, mm: number): ShownTable {
  const entries = [...view.pageTable(mm)]
    .sort(([a], [b]) => a - b)
    .map(([page, entry]) => ({ page, entry }));
  const lines = entries.map(
    ({ page, entry }) => `${addressWords(page).padEnd(ADDRESS_COLUMNS)} ${pteWords(entry)}`,
  );
  return { text: lines.join('\n') || 'no entry', result: { mm, entries } };
}

export function maps(view: PromptLabView, mm: number): ShownTable {
  const mappings = view
    .mappings(mm)
    .map((mapping, index) => ({ name: mappingName(index), ...mapping }));
  const lines = mappings.map(({ name, first, end, prot, kind }) => {
    const pages = String(end - first).padStart(4);
    const range = `${addressWords(first)}-${addressWords(end)}`;
    return `${name.padEnd(2)} ${range} ${pages} pages ${prot} ${kind}`;
  });
  return { text: lines.join('\n') || 'nothing is mapped', result: { mappings } };
}

/** The last `count` events that are about the client. */
export function log(view: PromptLabView, client: PromptClient, count: number): ShownTable {
  const events = view.log(count, (event) => concerns(event, client));
  return { text: events.map(describeEvent).join('\n') || 'nothing so far', result: { events } };
}

/** `mine` are the actors of this process. */
export function who(view: PromptLabView, mine: readonly string[]): ShownTable {
  const { n, kernel, patch, actors } = view;
  const lines = actors.map(({ name, role, state }) => {
    const me = mine.includes(name) ? ' (you)' : '';
    return `${name.padEnd(16)} ${role.padEnd(7)} ${state}${me}`;
  });
  const text = [...lines, `kernel ${kernelLabel(view)}, event ${n}`].join('\n');
  return { text, result: { actors, kernel, patch, n } };
}
