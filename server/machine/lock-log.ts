import type { EventSink } from '../abi/event.ts';
import type { HeldLock, LockListener } from '../task/context.ts';
import { objectName } from '../task/object-id.ts';

/** Writes every lock that is taken or let go of into an event log. */
export function lockLog(emit: EventSink): LockListener {
  return {
    taken: (lock, mode) => emit({ kind: 'lock', lock: lockName(lock), mode }),
    released: (lock) => emit({ kind: 'unlock', lock: lockName(lock) }),
  };
}

/** `mmap_lock`, `mmap_lock mm1`, `page_lock 0x12`, `ptl 0x801`, `driver_lock 0`. */
export function lockName(lock: HeldLock): string {
  const { owner, index } = objectName(lock.object);
  switch (lock.class) {
    case 'mmap_lock':
      return owner === 0 ? 'mmap_lock' : `mmap_lock mm${owner}`;
    case 'ptl':
      return `ptl ${owner === 0 ? '' : `mm${owner} `}0x${index.toString(16)}`;
    case 'page_lock':
      return `page_lock 0x${index.toString(16)}`;
    case 'i_mmap_rwsem':
    case 'anon_vma_rwsem':
      return `${lock.class} ${index / 2}`;
    case 'driver_outer_lock':
    case 'driver_lock':
    case 'device_memory_lock':
      return `${lock.class} ${owner}`;
    default:
      return lock.class;
  }
}
