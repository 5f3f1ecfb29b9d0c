/**
 * The scalars that all messages are made of. Two ways to name memory, each where its users think in it:
 * devices and the kernel's questions to them speak of page indices (address / 4096) and half-open ranges
 * {first, end}; CPU calls speak of byte addresses as 0x-hexadecimal strings. Frames are numbers, u64 values are
 * 0x-hexadecimal strings. Fields of the kernel's structs keep the kernel's spelling (invalidate_seq), fields of
 * the session are in camelCase (resumeToken).
 * What operations take is in abi/scalars.ts.
 */
import { Type } from 'typebox';
import type { HmmPfn } from '../abi/hmm-pfn.ts';
import { RANGE_PAGES_MAX } from '../abi/limits.ts';
import type { MigratePfn } from '../abi/migrate-pfn.ts';
import { PAGE_SIZE, type Pfn } from '../vocabulary/address.ts';
import type { Seq } from '../vocabulary/seq.ts';
import { MMS_MAX } from './limits.ts';

const FRAME_NOTE =
  'The number of a frame of 4096 bytes: of system memory below 8388608, of the private memory of a device from there.';

/** What a double can carry with six flag bits beside it. */
export const frame = Type.Unsafe<Pfn>(
  Type.Integer({ minimum: 0, maximum: 2 ** 46, title: 'frame', description: FRAME_NOTE }),
);
export const frameOrNone = Type.Union([frame, Type.Literal('none')], {
  title: 'frame or none',
  description: 'A frame, or the word "none".',
});
export const mm = Type.Integer({
  minimum: 0,
  maximum: MMS_MAX - 1,
  title: 'mm',
  description: 'Numbers the address spaces of a machine; 0 is the first process.',
});

function whole(title: string, description: string) {
  return Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, title, description });
}

/** Of frames and of requests. */
export const sequence = whole('count', 'A running number of the session.');
/** An invalidate sequence of the mmu_notifier. */
export const notifierSeq = Type.Unsafe<Seq>(
  whole(
    'invalidate sequence',
    'A sequence of the mmu_notifier. Take it as it comes, compare for equality only.',
  ),
);
/** A running number that the server hands out: a subscription, a migration. */
export const handle = Type.Integer({
  minimum: 0,
  maximum: 2 ** 36 - 1,
  title: 'handle',
  description: 'A number that the server handed out: of a subscription, or of a migration.',
});
/** An HmmPfn: see hmm-pfn.ts for its bits. */
export const hmmPfnValue = Type.Unsafe<HmmPfn>(
  whole(
    'hmm pfn',
    'frame * 64 + flags: 1 VALID, 2 WRITE, 4 ERROR, 8 ZERO, 16 DEVICE_PRIVATE, 32 PMD.',
  ),
);
/** A MigratePfn: see migrate-pfn.ts for its bits. */
export const migratePfnValue = Type.Unsafe<MigratePfn>(
  whole('migrate pfn', 'frame * 64 + flags: 1 VALID, 2 MIGRATE, 8 WRITE; 0 for none.'),
);

export const pageCountInCall = Type.Integer({
  minimum: 1,
  maximum: RANGE_PAGES_MAX,
  title: 'page count',
  description: 'How many pages or frames.',
});

/** The contents of one page in a question or its answer, which carry no binary frames. */
export const pageHex = Type.String({
  pattern: '^([0-9a-f]{2})*$',
  maxLength: 2 * PAGE_SIZE,
  title: 'page',
  description: 'the bytes of a page in hexadecimal, without the zeros at its end',
});
