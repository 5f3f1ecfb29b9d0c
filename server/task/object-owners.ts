/**
 * Which owners and indices objects have that are not numbered by an address space, a device, a page or a frame alone.
 * Numbers of one kind stand together here, so that no two meanings share one: naming an object and reading its
 * name go by the same list.
 */

/** Owners of kind 'page': what of a frame is meant. The index is the frame. Flags come from `firstFlag` on, by bit. */
export const PAGE_OWNERS = { references: 0, mapcount: 1, mapping: 2, firstFlag: 3 } as const;

/** Indices of kind 'allocator': what is handed out. The owner is 0. */
export const ALLOCATORS = { systemFrames: 0, deviceFrames: 1, swapSlots: 2 } as const;

/** Indices of kind 'mm'. The owner is the address space. */
export const MM_PARTS = {
  alive: 0,
  mappings: 1,
  cpus: 2,
  users: 3,
  pinned: 4,
  fastWalks: 5,
  userfaults: 6,
  pmdTables: 7,
  detached: 8,
} as const;

/** Indices of kind 'vma'. The owner is the address space. */
export const VMA_PARTS = {
  unstable: 0,
  locks: 1,
  anonVmas: 2,
  lockReaders: 3,
  walkers: 4,
} as const;

/** Index of kind 'tlb' of tlb_flush_pending. The owner is the address space; TLBs have running numbers above it. */
export const FLUSH_PENDING = 0;
/** The same of tlb_flush_batched. */
export const FLUSH_BATCHED = 1;

/**
 * Indices of kind 'notifiers': the list of classic notifiers, and who walks it. Above stand the notifiers, by their
 * ids. The owner is the address space.
 */
export const NOTIFIER_PARTS = { list: 0, readers: 1 } as const;

/** Owners of kinds 'rmap' and 'rmap_lock': whose list of mappings. The index is an id, or twice an id for a lock. */
export const RMAP_OWNERS = { anonVmas: 0, files: 1 } as const;

/** Owner of kind 'device' of a device's open migrations. Below it, objects of this kind belong to drivers. */
export const MIGRATIONS_OWNER = 1_023;

/**
 * Owners of kind 'user'. Below `answers` is what oracles know of each device, by its number; from `firstRegister` on
 * are the registers of each address space, by its id.
 */
export const ORACLE_OWNERS = {
  answers: 509,
  sharedPages: 510,
  calls: 511,
  firstRegister: 512,
} as const;

/** Owners of kind 'hold': what a task waits for, or keeps, that is no part of the kernel. */
export const HOLD_OWNERS = {
  /** A task that stands still at a hold. */
  heldTasks: 0,
  milestones: 1,
  /** A thread whose access has faulted too often. */
  turns: 2,
  /** What a client of a recorded run was sent. */
  mail: 3,
  /** What such a client keeps. */
  clientTables: 4,
  /** What user code has allocated. */
  userMemory: 5,
  /** What user code keeps besides. */
  userState: 6,
  /** Threads of a scenario that have not ended. */
  threadsLeft: 7,
  /** Programs that go round. */
  rounds: 8,
  /** Calls of functions of the kernel, of which the answer is kept. */
  calls: 9,
} as const;
