/**
 * Events as tracepoints: those of Linux (include/trace/events: exceptions, kmem, migrate, mmap_lock, signal, tlb) with
 * their fields where it has one, all others named `mmrace_`. Linux has mm_migrate_pages only for its own migrations;
 * here it also ends those of devices.
 *
 * Leaves out: pointers (printed as 0), gfp flags, and everything else that the model does not know. A `pte=` is the
 * frame number shifted by 12 with present, rw and user in bits 0 to 2, not an encoding of an architecture.
 */
import type { Event, PteView } from '../../abi/event.ts';
import { addressOf, pageIndex } from '../../vocabulary/address.ts';
import { assertNever } from '../../vocabulary/invariant.ts';
import { argumentWords } from '../event-words.ts';
import type { Moved } from '../timeline/moved-pages.ts';

export interface Tracepoint {
  readonly name: string;
  /** `key=value key=value`, may be empty. */
  readonly fields: string;
}

/** Which task of which CPU an actor is. */
export interface TracePlace {
  readonly comm: string;
  readonly pid: number;
  readonly cpu: number;
}

/** What the tracepoints need to know of the log besides the event. */
export interface KnownPages {
  readonly devices: ReadonlySet<string>;
  /** Frames of devices: the page allocator does not know them. */
  readonly deviceFrames: ReadonlySet<number>;
  /** What came of each migration, by the number of the event that ended it. */
  readonly moved: ReadonlyMap<number, Moved>;
  readonly places: ReadonlyMap<string, TracePlace>;
}

/** The tracepoint that `event` would have hit, without the time and the task. */
export function tracepointOf(event: Event, known: KnownPages): Tracepoint {
  switch (event.kind) {
    case 'pte':
      return tracedPte(event);
    case 'fault':
      return tracedFault(event, known);
    case 'tlb-flush': {
      const fields = `pages:${event.end - event.first} reason:remote shootdown (1)`;
      return { name: 'tlb_flush', fields };
    }
    case 'migration-end':
      return tracedMigration(event, known);
    case 'signal': {
      const sig = event.signal === 'SIGBUS' ? 7 : 11;
      const { comm, pid } = known.places.get(event.actor) ?? { comm: '<...>', pid: 0 };
      const fields = `sig=${sig} errno=0 code=1 comm=${comm} pid=${pid} grp=0 res=0`;
      return { name: 'signal_generate', fields };
    }
    case 'frame-alloc':
    case 'frame-free':
      return tracedFrame(event, known);
    case 'lock':
    case 'unlock':
      return tracedLock(event);
    case 'call':
    case 'return':
      return tracedCall(event);
    default:
      return tracedOwn(event);
  }
}

function own(name: string, fields: string): Tracepoint {
  return { name: `mmrace_${name}`, fields };
}

type Of<Kind extends Event['kind']> = Extract<Event, { kind: Kind }>;

function tracedPte({ mm, page, from, to }: Of<'pte'>): Tracepoint {
  const at = `addr=${address(page)}`;
  if (to.state === 'migration') {
    return { name: 'set_migration_pte', fields: `${at}, pte=${pteValue(to)} order=0` };
  }
  if (from.state === 'migration') {
    return { name: 'remove_migration_pte', fields: `${at}, pte=${pteValue(to)} order=0` };
  }
  const states = `from=${from.state} to=${to.state}`;
  return own('set_pte', `mm=${mm} ${at} ${states} pte=${pteValue(to)}`);
}

function tracedMigration({ n }: Of<'migration-end'>, { moved }: KnownPages): Tracepoint {
  const { succeeded, failed } = moved.get(n) ?? { succeeded: 0, failed: 0 };
  const huge = 'nr_thp_succeeded=0 nr_thp_failed=0 nr_thp_split=0 nr_split=0';
  return {
    name: 'mm_migrate_pages',
    fields: `nr_succeeded=${succeeded} nr_failed=${failed} ${huge} mode=MIGRATE_SYNC reason=migrate_vma`,
  };
}

/** A device's fault goes to handle_mm_fault() without an exception. */
function tracedFault({ actor, mm, page, mode }: Of<'fault'>, { devices }: KnownPages): Tracepoint {
  if (devices.has(actor)) return own('hmm_fault', `mm=${mm} addr=${address(page)} mode=${mode}`);
  const code = mode === 'write' ? '0x6' : '0x4';
  return {
    name: 'page_fault_user',
    fields: `address=0x${address(page)} ip=0x0 error_code=${code}`,
  };
}

function tracedFrame(
  { kind, pfn }: Of<'frame-alloc' | 'frame-free'>,
  known: KnownPages,
): Tracepoint {
  const number = `pfn=0x${pfn.toString(16)}`;
  if (known.deviceFrames.has(pfn)) {
    return own(kind === 'frame-alloc' ? 'zone_device_page_init' : 'page_free', number);
  }
  const page = `page=0000000000000000 ${number} order=0`;
  return kind === 'frame-alloc'
    ? { name: 'mm_page_alloc', fields: `${page} migratetype=1 gfp_flags=GFP_HIGHUSER_MOVABLE` }
    : { name: 'mm_page_free', fields: page };
}

function tracedLock(event: Of<'lock' | 'unlock'>): Tracepoint {
  if (!event.lock.startsWith('mmap_lock')) {
    const mode = event.kind === 'lock' ? ` mode=${event.mode}` : '';
    return own(event.kind, `lock=${event.lock}${mode}`);
  }
  if (event.kind === 'unlock') return mmapLock('released', 'false');
  return mmapLock('acquire_returned', event.mode === 'write' ? 'true' : 'false');
}

function mmapLock(
  moment: 'start_locking' | 'acquire_returned' | 'released',
  write: 'true' | 'false',
): Tracepoint {
  const success = moment === 'acquire_returned' ? ' success=true' : '';
  const fields = `mm=0000000000000000 memcg_path= write=${write}${success}`;
  return { name: `mmap_lock_${moment}`, fields };
}

function tracedCall(event: Of<'call' | 'return'>): Tracepoint {
  if (event.kind === 'return') {
    const { function: name, result } = event;
    if (name === 'mmap_read_lock') return mmapLock('acquire_returned', 'false');
    return own('return', `function=${name} result=${result}`);
  }
  if (event.function === 'mmap_read_lock') return mmapLock('start_locking', 'false');
  if (event.function === 'mmap_read_unlock') return mmapLock('released', 'false');
  return own('call', `function=${event.function} ${argumentWords(event.args)}`.trimEnd());
}

function tracedOwn(event: Exclude<Event, Of<TracedElsewhere>>): Tracepoint {
  switch (event.kind) {
    case 'attach':
      return own('attach', `role=${event.role}`);
    case 'detach':
      return own('detach', '');
    case 'fenced':
      return own('fenced', `device=${event.device}`);
    case 'callback':
      return own(
        'callback',
        `device=${event.device} function=${event.function} ${argumentWords(event.args)}`,
      );
    case 'callback-return':
      return own(
        'callback_return',
        `device=${event.device} function=${event.function} result=${event.result}`,
      );
    case 'invalidate_range_start':
      return own(
        'invalidate_range_start',
        `${range(event)} id=${event.id} event=${event.event} owner=${event.owner}`,
      );
    case 'invalidate_range_end':
      return own('invalidate_range_end', `${range(event)} id=${event.id}`);
    case 'mirror':
      return own(
        'mirror',
        `device=${event.device} addr=${address(event.page)} ${mirror(event.to)}`,
      );
    case 'device-access':
      return own(
        event.memory === 'system' ? `dma_${event.mode}` : `private_${event.mode}`,
        `device=${event.device} addr=${address(event.page)} pfn=0x${event.pfn.toString(16)} ` +
          `value=${event.value}`,
      );
    case 'cpu-access':
      return own(
        event.mode === 'read' ? 'load' : 'store',
        `mm=${event.mm} addr=${address(event.page)} pfn=0x${event.pfn.toString(16)} ` +
          `value=${event.value}`,
      );
    case 'pin-access':
      return own(
        `pin_${event.mode}`,
        `id=${event.id} mm=${event.mm} addr=${address(event.page)} pfn=0x${event.pfn.toString(16)} ` +
          `value=${event.value}`,
      );
    case 'vma':
      return own('vma', `${range(event)} change=${event.change} prot=${event.prot}`);
    case 'violation':
      return own(
        'violation',
        `rule=${event.rule} addr=${address(event.page)} device=${event.device} text=${event.text}`,
      );
    case 'note':
      return own('note', event.text.replaceAll(/\s+/g, ' '));
    default:
      return assertNever(event);
  }
}

type TracedElsewhere =
  | 'pte'
  | 'fault'
  | 'tlb-flush'
  | 'migration-end'
  | 'signal'
  | 'frame-alloc'
  | 'frame-free'
  | 'lock'
  | 'unlock'
  | 'call'
  | 'return';

function address(page: number): string {
  return addressOf(pageIndex(page)).toString(16);
}

function range(event: { readonly mm: number; readonly first: number; readonly end: number }) {
  return `mm=${event.mm} start=${address(event.first)} end=${address(event.end)}`;
}

function mirror(to: Of<'mirror'>['to']): string {
  return to.state === 'none' ? 'to=none' : `to=0x${to.pfn.toString(16)} access=${to.access}`;
}

function pteValue(pte: PteView): string {
  if (!('pfn' in pte)) return '0';
  const present = pte.state === 'present' ? 0b101n : 0n;
  const writable = pte.access === 'write' ? 0b10n : 0n;
  return ((BigInt(pte.pfn) << 12n) | present | writable).toString(16);
}
