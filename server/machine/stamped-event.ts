import type { Event, EventBody } from '../abi/event.ts';
import type { TaskIdentity } from '../task/context.ts';
import { assertNever } from '../vocabulary/invariant.ts';

/**
 * The event that `body` becomes, as number `n`, in the name of `by`. One literal a kind: `...body` behind other
 * members would be copied name by name, an order of magnitude slower, into an object that is twice as large.
 */
export function stampedEvent(n: number, by: TaskIdentity, body: EventBody): Event {
  const { actor, name: task } = by;
  const { kind } = body;
  switch (kind) {
    case 'attach':
      return { n, actor, task, kind, role: body.role };
    case 'detach':
      return { n, actor, task, kind };
    case 'fenced':
      return { n, actor, task, kind, device: body.device };
    case 'call':
      return { n, actor, task, kind, function: body.function, args: body.args };
    case 'return':
      return { n, actor, task, kind, function: body.function, result: body.result };
    case 'callback': {
      const { function: called, device, args } = body;
      return { n, actor, task, kind, function: called, device, args };
    }
    case 'callback-return': {
      const { function: called, device, result } = body;
      return { n, actor, task, kind, function: called, device, result };
    }
    case 'pte': {
      const { mm, page, from, to } = body;
      return { n, actor, task, kind, mm, page, from, to };
    }
    case 'invalidate_range_start': {
      const { id, mm, first, end, event, owner } = body;
      return { n, actor, task, kind, id, mm, first, end, event, owner };
    }
    case 'invalidate_range_end': {
      const { id, mm, first, end } = body;
      return { n, actor, task, kind, id, mm, first, end };
    }
    case 'migration-end':
      return { n, actor, task, kind, device: body.device, id: body.id };
    case 'mirror': {
      const { device, page, from, to } = body;
      return { n, actor, task, kind, device, page, from, to };
    }
    case 'device-access': {
      const { device, page, pfn, mode, memory, value } = body;
      return { n, actor, task, kind, device, page, pfn, mode, memory, value };
    }
    case 'cpu-access': {
      const { mm, page, pfn, mode, value } = body;
      return { n, actor, task, kind, mm, page, pfn, mode, value };
    }
    case 'pin-access': {
      const { id, mm, page, pfn, mode, value } = body;
      return { n, actor, task, kind, id, mm, page, pfn, mode, value };
    }
    case 'signal':
      return { n, actor, task, kind, mm: body.mm, page: body.page, signal: body.signal };
    case 'fault':
      return { n, actor, task, kind, mm: body.mm, page: body.page, mode: body.mode };
    case 'tlb-flush':
      return { n, actor, task, kind, mm: body.mm, first: body.first, end: body.end };
    case 'frame-alloc':
      return { n, actor, task, kind, pfn: body.pfn };
    case 'frame-free':
      return { n, actor, task, kind, pfn: body.pfn };
    case 'vma': {
      const { mm, first, end, change, prot } = body;
      return { n, actor, task, kind, mm, first, end, change, prot };
    }
    case 'lock':
      return { n, actor, task, kind, lock: body.lock, mode: body.mode };
    case 'unlock':
      return { n, actor, task, kind, lock: body.lock };
    case 'violation': {
      const { oracle, rule, text, device, page, cpuHistory, deviceHistory } = body;
      const names = { n, actor, task, kind };
      return { ...names, oracle, rule, text, device, page, cpuHistory, deviceHistory };
    }
    case 'note':
      return { n, actor, task, kind, text: body.text };
    default:
      return assertNever(kind);
  }
}
