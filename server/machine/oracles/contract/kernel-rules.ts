/**
 * What the event log shows of the contract: the kernel's own side, which patches break, and what devices reach.
 *
 * Rules: CR10, CR40.
 */
import type { Event, PteView } from '../../../abi/event.ts';
import { contains, hexAddress, type PageIndex } from '../../../vocabulary/address.ts';
import { checkAccess } from './access-rules.ts';
import { type Contract, report } from './contract.ts';

/** Looks at each event of the log. */
export function seeKernel(contract: Contract, event: Event): void {
  switch (event.kind) {
    case 'invalidate_range_start': {
      const range = { first: event.first as PageIndex, end: event.end as PageIndex };
      const task = contract.k.context.current.id;
      contract.brackets.set(event.id, {
        n: event.n,
        task,
        mm: event.mm,
        range,
        event: event.event,
        done: new Set(),
      });
      return;
    }
    case 'invalidate_range_end':
      contract.brackets.delete(event.id);
      return;
    case 'device-access': {
      const device = contract.devices.get(event.device);
      if (device !== undefined) checkAccess(device, event);
      return;
    }
    case 'pte':
      checkBracket(contract, event);
      return;
    default:
  }
}

/** Rule 40: what takes a page or rights away lies inside a bracket that covers it. */
function checkBracket(contract: Contract, event: Extract<Event, { kind: 'pte' }>): void {
  const { mm, from, to } = event;
  if (!takesAway(from, to)) return;
  const page = event.page as PageIndex;
  for (const bracket of contract.brackets.values()) {
    if (bracket.mm === mm && contains(bracket.range, page)) return;
  }
  const text =
    `${event.actor} changed the entry of ${hexAddress(page)} from ${named(from)} to ${named(to)} (event ${event.n}) ` +
    'outside mmu_notifier_invalidate_range_start() and _end()';
  const device = contract.devices.has(event.actor) ? event.actor : '';
  report(contract, 'CR40', device, page, text);
}

/** A task could reach memory through `from` that it cannot reach through `to`. */
function takesAway(from: PteView, to: PteView): boolean {
  if (from.state === 'zero') return to.state !== 'zero';
  if (from.state !== 'present') return false;
  if (to.state !== 'present' || to.pfn !== from.pfn) return true;
  return from.access === 'write' && to.access === 'read';
}

function named(pte: PteView): string {
  return pte.state === 'present' ? `present (${pte.access})` : pte.state;
}

/** Rule 10, when nothing goes on: each start has its end, but for those whose task is `stuck`. */
export function checkAllEnded(contract: Contract, stuck: ReadonlySet<number>): void {
  for (const { n, task, range, event } of contract.brackets.values()) {
    if (stuck.has(task)) continue;
    const text = `the invalidation (${event}) of ${hexAddress(range.first)} that began at event ${n} never ended`;
    report(contract, 'CR10', '', range.first, text);
  }
}
