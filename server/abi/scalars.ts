/**
 * The scalars that operations take, whether a scenario, a program or the wire asks for them.
 *
 * `description` of a string completes the sentence "expected ...": refusals and documents both quote it. Of
 * anything else it is a sentence for the documents alone.
 */
import { Type } from 'typebox';
import { PAGES_MAX, type PageIndex } from '../vocabulary/address.ts';
import { NAME_CHARS_MAX, RANGE_PAGES_MAX } from './limits.ts';

/** An object that has these fields and no others. */
export function strict<const Fields extends Type.TProperties>(fields: Fields) {
  return Type.Object(fields, { additionalProperties: false });
}

export const nothing = strict({});

/**
 * The same schema, with what the documents say of it here. Keeps what the schema hides from JSON (its kind, its
 * refinements). Of a string it would also be the bound of a refusal: see above.
 */
export function described<Schema extends Type.TSchema>(
  schema: Schema,
  description: string,
): Schema {
  return withNote(schema, 'description', description);
}

/** The same schema under a name: the documents explain it once, and then only name it. */
export function named<Schema extends Type.TSchema>(title: string, schema: Schema): Schema {
  return withNote(schema, 'title', title);
}

function withNote<Schema extends Type.TSchema>(
  schema: Schema,
  note: 'title' | 'description',
  value: string,
): Schema {
  return Object.defineProperties({} as Schema, {
    ...Object.getOwnPropertyDescriptors(schema),
    [note]: { value, enumerable: true, configurable: true, writable: true },
  });
}

const PAGE_NOTE = 'Which page of an address space: the byte address divided by 4096.';
export const page = Type.Unsafe<PageIndex>(
  Type.Integer({ minimum: 0, maximum: PAGES_MAX - 1, title: 'page', description: PAGE_NOTE }),
);

const rangeFields = {
  first: page,
  end: Type.Unsafe<PageIndex>(
    Type.Integer({ minimum: 1, maximum: PAGES_MAX, description: 'The page behind the last one.' }),
  ),
};

/** Pages [first, end). */
export const range = described(
  named(
    'range',
    Type.Refine(
      strict(rangeFields),
      (value) => value.first < value.end,
      () => 'end to be greater than first',
    ),
  ),
  'Pages from first up to, but not including, end. Never empty.',
);
/** A range of a call that answers page by page. */
export const shortRange = described(
  named(
    'short range',
    Type.Refine(
      strict(rangeFields),
      (value) => value.first < value.end && value.end - value.first <= RANGE_PAGES_MAX,
      () => `end to be 1 to ${RANGE_PAGES_MAX} pages behind first`,
    ),
  ),
  `A range of at most ${RANGE_PAGES_MAX} pages.`,
);
export const hexU64 = Type.String({
  title: 'u64',
  pattern: '^0x(0|[1-9a-f][0-9a-f]{0,15})$',
  description: 'a u64 as a lower-case 0x-hexadecimal string without leading zeros',
});
/** Of a load or a store. */
export const wordAddress = Type.String({
  title: 'word address',
  pattern: '^0x(0|8|[1-9a-f][0-9a-f]{0,9}[08]|[1-7][0-9a-f]{10}[08])$',
  description:
    'an address as a lower-case 0x-hexadecimal string, a multiple of 8 below 0x800000000000',
});
/** Of a system call. */
export const pageAddress = Type.String({
  title: 'page address',
  pattern: '^0x(0|[1-9a-f][0-9a-f]{0,7}000|[1-7][0-9a-f]{8}000)$',
  description:
    'an address as a lower-case 0x-hexadecimal string, a multiple of 4096 below 0x800000000000',
});

export const name = Type.String({
  title: 'name',
  pattern: `^[A-Za-z0-9][A-Za-z0-9_.-]{0,${NAME_CHARS_MAX - 1}}$`,
  description: `a name of 1 to ${NAME_CHARS_MAX} letters, digits, _ . - that begins with a letter or digit`,
});

/** One of a few words. */
export function word<const Words extends readonly string[]>(...words: Words) {
  return Type.Unsafe<Words[number]>(Type.Enum([...words]));
}

/** One a page. */
export const u64s = Type.Array(hexU64, { minItems: 1, maxItems: RANGE_PAGES_MAX });
