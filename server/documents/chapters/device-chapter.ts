/** What a device does, in words: the parts that schemas cannot say. */
import {
  HMM_PFN_DEVICE_PRIVATE,
  HMM_PFN_ERROR,
  HMM_PFN_PMD,
  HMM_PFN_VALID,
  HMM_PFN_WRITE,
  HMM_PFN_ZERO,
} from '../../abi/hmm-pfn.ts';
import {
  MIGRATE_PFN_MIGRATE,
  MIGRATE_PFN_VALID,
  MIGRATE_PFN_WRITE,
} from '../../abi/migrate-pfn.ts';
import { DEVICE_FRAMES_MAX } from '../../protocol/limits.ts';

export function deviceChapter(): string {
  return `
## What a device does

A device keeps, for itself: a **page table** (page to frame and access), its **subscriptions**, each with the
sequence that it was last told (\`invalidate_seq\`), its **private memory** (frame to contents), and a
**driver's lock** that guards page table and sequences. In a client that does one thing at a time the lock is
that fact, as long as nothing is awaited while it is "held"; otherwise it is a mutex. These are the rules of the
kernel's HMM; a device that breaks one gets the race.

### Rules that decide how it is built

- **Frames in order.** Take the server's frames in the order of their \`seq\`, one after the other, as far as
  the driver's lock. An \`invalidate\` that came before the answer to \`hmm_range_fault\` has made it void; a
  client that lets answers overtake questions maps what is gone.
- **The same grants, the same frames.** Under \`mmrace certify\` each frame is granted, and each schedule is run
  twice: what a device sends may depend on what it was sent, and on nothing else. No clock, no random number, no
  order of a hash map.
- **A sequence is the one that you last heard.** Take it as it comes, keep it with its subscription, and compare
  for equality only. One place has two: an \`invalidate\` may come before the answer to
  \`mmu_interval_notifier_insert\`, when you do not know the subscription yet. Nothing of it is mapped, so
  answer \`done\`; of its \`seq\` and the \`invalidate_seq\` of the answer the greater one counts.
- **Map after finalize.** What was migrated is mapped behind \`migrate_vma_finalize\`, by a fault or as in step
  7 below: MIGRATE before that says what moved, and not what is still there.
- **Frames may cross with \`fenced\`.** What you sent before you heard of it is refused with \`fenced\`, or was
  done before; what you were asked before is void. Neither is a fault of yours: drop both, and come back.

### To begin

\`memremap_pages\` for private memory (if it has any: 1 to ${DEVICE_FRAMES_MAX} frames), then
\`mmu_interval_notifier_insert\` for the range that it mirrors: \`{first: 0, end: 34359738368}\` is everything.
From then on it is asked \`invalidate\`.

### To fault a range in

1. \`begun\` = \`mmu_interval_read_begin\`.
2. \`mmap_read_lock\`; \`hmm_range_fault\` with \`notifier_seq\` \`begun\` and \`default_flags\` \`fault\`, or
   \`fault-write\` to write; \`mmap_read_unlock\`, whatever came of it. If it was refused with \`try-again\`
   (EBUSY), go to 1.
3. Take the driver's lock. If the subscription's sequence is not \`begun\`, the answer is void: let go, go to 1.
4. Enter the frames into the page table, send \`mirror_changed\`, let go.

Steps 1 and 2 are one request with \`hmm_range_fault_unlocked\`, whose answer has \`begun\` as \`seq\`. Give up
after some number of collisions in a row (a thousand, say) with EBUSY.

An **hmm pfn** is \`frame * 64 + flags\`. These numbers need up to 53 bits: do not use 32-bit integers or bit
operations on them.

| flag | | |
| --- | --- | --- |
| ${HMM_PFN_VALID} | VALID | the entry names a frame; without it do not map |
| ${HMM_PFN_WRITE} | WRITE | it may be written |
| ${HMM_PFN_ERROR} | ERROR | poison, or another entry that cannot be had |
| ${HMM_PFN_ZERO} | ZERO | the shared zero page |
| ${HMM_PFN_DEVICE_PRIVATE} | DEVICE_PRIVATE | the frame is in your own private memory |
| ${HMM_PFN_PMD} | PMD | part of a huge mapping |

### To read and write

Under the driver's lock look the page up in your page table. In system memory: \`dma_read\` or \`dma_write\`,
and keep the lock until the answer is there, so that no \`invalidate\` is answered in between. In private
memory: your own frame; then send \`private_memory_accessed\`. Without an entry, or without the right to write:
let go, fault it in, look again.

### To answer invalidate

Take the driver's lock, set the sequence, drop the entries, send \`mirror_changed\`, let go, answer. In this
order: the entries are gone when the answer is there. It may come at any time, also while you migrate, also for
pages that you do not map, and several at once. Ask the server nothing while you do it.

Of what your own migration invalidates drop at least what it may take: entries of system memory with \`select\`
\`system\`, of your private memory with \`device-private\`. Dropping more costs a fault, no more.

### To be a guest, or another client of both ends

A device need not subscribe to ranges. With \`mmu_notifier_register\` it hears of every bracket of the mm, at both
ends, and keeps a **count** and a **sequence** of its own. A fault: remember the sequence; \`get_user_pages\`; under the
driver's lock, if the count is 0 and the sequence is the one remembered, enter the frames, else try again; then
\`put_pages\`. \`invalidate_range_start\`: under the driver's lock raise the count, drop the entries of the range, send
\`mirror_changed\`, answer. \`invalidate_range_end\`: under the lock raise the sequence, lower the count, answer. The
notifiers of a lab are asked one after the other, the last one to register first, and after all subscriptions.

### To migrate to private memory

With \`mmap_read_lock\` held throughout:

1. \`find_vma\`: is the range mapped, and \`rw\`? A migration stays within one mapping.
2. \`migrate_vma_setup\` with \`select\` \`system\`, \`fault_page\` \`none\`. Your own entries of the range are
   invalidated meanwhile, with event \`migrate\` and your name as owner. Under the driver's lock drop what you
   still map of the collected pages: an entry may have come back before the answer.
3. For each entry of \`src\` with MIGRATE take a free private frame and say so: \`zone_device_page_init\`.
4. Copy: \`dma_read\` the sources that have VALID; a source without VALID is a hole or the zero page, and is zeros.
5. \`migrate_vma_pages\` with \`dst\`: for each chosen frame \`frame * 64 + VALID\`, and WRITE if the source had WRITE
   or if there was no source and the mapping is \`rw\`; 0 elsewhere. The entries of the answer's \`src\` that still
   have MIGRATE have moved; the others lost the race.
6. \`migrate_vma_finalize\`.
7. Map what moved, as a fault does, but with \`snapshot\` for \`fault\`: \`begun\` = \`mmu_interval_read_begin\`,
   \`hmm_range_fault\`, and under the driver's lock, if the subscription's sequence is \`begun\`, enter those of
   the pages that are in your private memory (VALID and DEVICE_PRIVATE). Or leave it to the next fault. Then
   \`mmap_read_unlock\`.

Linux's own test driver maps in step 6, before it finalizes, what MIGRATE says. That is a race: a
\`madvise(DONTNEED)\` needs neither the page nor mmap_lock for writing, and may give a page away between 5 and 6
(\`scenarios/madvise-before-map.yaml\`).

If anything fails between 2 and 6, the migration must be finalized all the same; frames from step 3 that were in no
\`dst\` are given back with \`put_device_page\`. A frame is free again when \`page_free\` names it, not before.

A **migrate pfn** is \`frame * 64 + flags\`: ${MIGRATE_PFN_VALID} VALID, ${MIGRATE_PFN_MIGRATE} MIGRATE,
${MIGRATE_PFN_WRITE} WRITE.

### To migrate back, and to answer migrate_to_ram

The same with \`select\` \`device-private\`, and the other way round: for each entry of \`src\` with VALID and
MIGRATE a frame from \`alloc_pages\`; drop your own entry (under the driver's lock, \`mirror_changed\`);
\`dma_write\` the contents to the new frames; \`migrate_vma_pages\` with \`dst\` of those frames, with WRITE
where the source had it; \`migrate_vma_finalize\`.

For \`migrate_to_ram\` the range is the one page, \`mm\` and \`fault_page\` are those of the question, and no
lock is taken: the fault holds mmap_lock for you until you answer. Take the driver's lock for moments only, and
never across a request.

### To give memory up

\`migrate_device_range\` collects private frames by number; copy as when migrating back; \`migrate_device_pages\`,
\`migrate_device_finalize\`. Loop until \`page_free\` has named every frame.

## Leases and fencing

A device holds up the tasks that wait for it. So it has a **lease** of \`leaseMs\`: a question of the kernel
(\`invalidate\` and its likes, \`migrate_to_ram\`, \`release\`) must be answered within it; and a device that holds what
a task waits for (mmap_lock, a locked page, a migration) must not be silent for longer. A lost connection does
not stop the clock. A device that is late, or answers an \`invalidate\` with an error or a wrong \`again\`, is
**fenced**:

- its DMA is refused from that instant, so what it still maps does no harm, and the waiting tasks go on;
- its locks, open migrations and subscriptions are given back; its page table counts for nothing;
- its requests are refused with \`fenced\`; questions that it has not answered are void (answering them does no harm);
- its private memory stays its own, but a CPU that touches it gets SIGBUS while the device is away.

It is told by the notification \`fenced\`, which names the question, its subscription and its range. To come
back it closes the connection with a code of its own (4900 to 4999) and resumes: the answer to that hello has
\`state: "fenced"\`, and from there on it is attached. It drops its page table, and inserts its subscriptions
anew; private memory is as it was. If it was fenced while its connection was away, the answer to the resume says
\`fenced\` already, and the notification comes behind it as old news. So count both, since the last reset, and
come back only if more notifications than answers said so.

After \`graceMs\` without a connection the session is over: what it held is given back, and its private pages
are lost. Their entries become poison, and a CPU that touches them gets SIGBUS. Nothing is lost without a word:
the event log has it.

A device that stands at a \`hold\` of the conductor is not late with what it holds, as long as it is connected;
questions of the kernel it answers all the same.
`;
}
