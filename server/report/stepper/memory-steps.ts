/** The page tables as a table of words that changes from step to step: the CPU's and each device's, side by side. */
import type { Event, PteView } from '../../abi/event.ts';
import { addressWords, mirrorWords, pteWords } from '../event-words.ts';
import { actorsSeen } from '../timeline/actors.ts';

/** More pages than this cannot be read; those of violations and those that change most are kept. */
export const PAGES_SHOWN_MAX = 256;
const NO_FRAME = -1;

/** What stands in one place of the table. */
export interface Cell {
  readonly text: string;
  /** The frame that it leads to; -1 for none. Where a device's differs from the CPU's, one of them is stale. */
  readonly frame: number;
}

export interface CellChange extends Cell {
  readonly step: number;
  readonly row: number;
  readonly column: number;
}

export interface MemorySteps {
  /** How many of the first columns are page tables of processes; the others are devices. */
  readonly processes: number;
  readonly columns: readonly string[];
  /** The address of each row's page. */
  readonly rows: readonly string[];
  /** Pages that changed and are not shown. */
  readonly left: number;
  /** By row, then column: before the first step. */
  readonly atFirst: readonly (readonly Cell[])[];
  /** In order of their steps. */
  readonly changes: readonly CellChange[];
}

interface RawChange extends Cell {
  readonly step: number;
  readonly page: number;
  readonly column: string;
  readonly before: Cell;
}

/** `events` in order. */
export function memorySteps(events: readonly Event[]): MemorySteps {
  const raw = events.flatMap(changeOf);
  const mms = [...new Set(events.flatMap((event) => (event.kind === 'pte' ? [event.mm] : [])))];
  const processes = [...new Set([0, ...mms])].sort((a, b) => a - b).map(processName);
  const devices = actorsSeen(events).filter(({ role }) => role === 'device');
  const columns = [...processes, ...devices.map(({ name }) => deviceColumn(name))];
  const all = new Set(raw.map(({ page }) => page));
  const pages = shownPages(events, raw);
  const columnOf = new Map(columns.map((name, at) => [name, at]));
  const rowOf = new Map(pages.map((page, at) => [page, at]));
  const atFirst = pages.map(() =>
    columns.map(
      (_, at): Cell => ({ text: at < processes.length ? 'empty' : 'none', frame: NO_FRAME }),
    ),
  );
  const entered = new Set<string>();
  const changes: CellChange[] = [];
  for (const { step, page, column: name, before, text, frame } of raw) {
    const [row, column] = [rowOf.get(page), columnOf.get(name)];
    if (row === undefined || column === undefined) continue;
    const cells = atFirst[row];
    // A log may begin in the middle: the first change of a cell says what was there.
    if (cells !== undefined && !entered.has(`${row} ${column}`)) cells[column] = before;
    entered.add(`${row} ${column}`);
    changes.push({ step, row, column, text, frame });
  }
  return {
    processes: processes.length,
    columns: columns.map((name) => name.slice(1)),
    rows: pages.map(addressWords),
    left: all.size - pages.length,
    atFirst,
    changes,
  };
}

/** A column's first sign keeps a device apart that has a process's name. */
function processName(mm: number): string {
  return mm === 0 ? 'pCPU' : `pCPU mm${mm}`;
}

function deviceColumn(name: string): string {
  return `d${name}`;
}

function changeOf(event: Event): RawChange[] {
  if (event.kind === 'pte') {
    const { n, page, mm, from, to } = event;
    return [{ step: n, page, column: processName(mm), before: pteCell(from), ...pteCell(to) }];
  }
  if (event.kind === 'mirror') {
    const { n, page, device, from, to } = event;
    const column = deviceColumn(device);
    return [{ step: n, page, column, before: mirrorCell(from), ...mirrorCell(to) }];
  }
  return [];
}

function pteCell(pte: PteView): Cell {
  if (pte.state === 'zero') return { text: pteWords(pte), frame: 0 };
  return { text: pteWords(pte), frame: 'pfn' in pte ? pte.pfn : NO_FRAME };
}

function mirrorCell(entry: Extract<Event, { kind: 'mirror' }>['to']): Cell {
  return { text: mirrorWords(entry), frame: entry.state === 'none' ? NO_FRAME : entry.pfn };
}

function shownPages(events: readonly Event[], raw: readonly RawChange[]): number[] {
  const weights = new Map<number, number>();
  for (const { page } of raw) weights.set(page, (weights.get(page) ?? 0) + 1);
  for (const event of events) {
    if (event.kind === 'violation' && weights.has(event.page)) {
      weights.set(event.page, Number.POSITIVE_INFINITY);
    }
  }
  return [...weights]
    .sort(([a, more], [b, less]) => (more === less ? a - b : less - more))
    .slice(0, PAGES_SHOWN_MAX)
    .map(([page]) => page)
    .sort((a, b) => a - b);
}
