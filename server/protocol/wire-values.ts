/**
 * The scalars that all messages are made of. Two ways to name memory, each where its users think in it:
 * devices and the kernel's questions to them speak of page indices (address / 4096) and half-open ranges
 * {first, end}; CPU calls speak of byte addresses as 0x-hexadecimal strings. Frames are numbers, u64 values are
 * 0x-hexadecimal strings. Fields of the kernel's structs keep the kernel's spelling (invalidate_seq), fields of
 * the session are in camelCase (resumeToken).
 *
 * `description` completes the sentence "expected ...": refusals and documents both quote it.
 */
import Type from 'typebox';
import { PAGES_MAX, type PageIndex, type Pfn } from '../vocabulary/address.ts';
import type { Seq } from '../vocabulary/seq.ts';
import type { HmmPfn } from './hmm-pfn.ts';
import { MMS_MAX, NAME_CHARS_MAX, RANGE_PAGES_MAX } from './limits.ts';
import type { MigratePfn } from './migrate-pfn.ts';

/** An object that has these fields and no others. */
export function strict<const Fields extends Type.TProperties>(fields: Fields) {
  return Type.Object(fields, { additionalProperties: false });
}

export const nothing = strict({});

export const page = Type.Unsafe<PageIndex>(Type.Integer({ minimum: 0, maximum: PAGES_MAX - 1 }));
/** What a double can carry with six flag bits beside it. */
export const frame = Type.Unsafe<Pfn>(Type.Integer({ minimum: 0, maximum: 2 ** 46 }));
export const frameOrNone = Type.Union([frame, Type.Literal('none')]);
export const mm = Type.Integer({ minimum: 0, maximum: MMS_MAX - 1 });
const whole = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
/** Of frames and of requests. */
export const sequence = whole;
/** An invalidate sequence of the mmu_notifier. */
export const notifierSeq = Type.Unsafe<Seq>(whole);
/** A running number that the server hands out: a subscription, a migration. */
export const handle = Type.Integer({ minimum: 0, maximum: 2 ** 36 - 1 });
/** An HmmPfn: see hmm-pfn.ts for its bits. */
export const hmmPfn = Type.Unsafe<HmmPfn>(whole);
/** A MigratePfn: see migrate-pfn.ts for its bits. */
export const migratePfn = Type.Unsafe<MigratePfn>(whole);

const rangeFields = {
  first: page,
  end: Type.Unsafe<PageIndex>(Type.Integer({ minimum: 1, maximum: PAGES_MAX })),
};

/** Pages [first, end). */
export const range = Type.Refine(
  strict(rangeFields),
  (value) => value.first < value.end,
  () => 'end to be greater than first',
);
/** A range of a call that answers page by page. */
export const shortRange = Type.Refine(
  strict(rangeFields),
  (value) => value.first < value.end && value.end - value.first <= RANGE_PAGES_MAX,
  () => `end to be 1 to ${RANGE_PAGES_MAX} pages behind first`,
);
export const pageCountInCall = Type.Integer({ minimum: 1, maximum: RANGE_PAGES_MAX });

export const hexU64 = Type.String({
  pattern: '^0x(0|[1-9a-f][0-9a-f]{0,15})$',
  description: 'a u64 as a lower-case 0x-hexadecimal string without leading zeros',
});
/** Of a load or a store. */
export const wordAddress = Type.String({
  pattern: '^0x(0|8|[1-9a-f][0-9a-f]{0,9}[08]|[1-7][0-9a-f]{10}[08])$',
  description:
    'an address as a lower-case 0x-hexadecimal string, a multiple of 8 below 0x800000000000',
});
/** Of a system call. */
export const pageAddress = Type.String({
  pattern: '^0x(0|[1-9a-f][0-9a-f]{0,7}000|[1-7][0-9a-f]{8}000)$',
  description:
    'an address as a lower-case 0x-hexadecimal string, a multiple of 4096 below 0x800000000000',
});

export const name = Type.String({
  pattern: `^[A-Za-z0-9][A-Za-z0-9_.-]{0,${NAME_CHARS_MAX - 1}}$`,
  description: `a name of 1 to ${NAME_CHARS_MAX} letters, digits, _ . - that begins with a letter or digit`,
});

/** One of a few words. */
export function word<const Words extends readonly string[]>(...words: Words) {
  return Type.Unsafe<Words[number]>(Type.Enum([...words]));
}
