/** The arguments of a line, by the parameters of the verb that they are for. */
import type { Type } from 'typebox';
import { wordAddress } from '../../../../server/abi/scalars.ts';
import type { VerbHelp } from '../../../../server/abi/verb-help.ts';
import type { VerbParams } from '../../../sdk/conductor.ts';
import type { Values } from '../values.ts';
import type { Argument } from '../verb.ts';

const VALUE = { name: 'VALUE', kind: 'u64', what: 'decimal or 0x-hexadecimal' } as const;

/** In the order of a line. What a choice may be stands in the schema of the verb. */
const ARGUMENTS: { readonly [param: string]: Omit<Argument, 'choices'> } = {
  address: { name: 'ADDRESS', kind: 'page', presence: { default: 'a' }, what: 'the first page' },
  pages: { name: 'PAGES', kind: 'count', presence: { default: '1' }, what: 'how many pages' },
  prot: {
    name: 'PROT',
    kind: 'choice',
    presence: { default: 'rw' },
    what: 'rights',
  },
  kind: {
    name: 'KIND',
    kind: 'choice',
    presence: { default: 'anon-private' },
    what: 'what is behind the pages',
  },
  file: { name: 'FILE', kind: 'id', presence: { default: 'none' }, what: 'the file, by number' },
  offset: {
    name: 'OFFSET',
    kind: 'id',
    presence: { default: 'none' },
    what: 'pages of the file before the first',
  },
  advice: {
    name: 'ADVICE',
    kind: 'choice',
    presence: { default: 'DONTNEED' },
    what: 'as madvise(2) calls it',
  },
  to: {
    name: 'TO',
    kind: 'page',
    presence: { default: 'free' },
    what: 'where the first page is to be',
  },
  child: { name: 'CHILD', kind: 'name', presence: 'required', what: 'its name in the lab' },
  mode: {
    name: 'MODE',
    kind: 'choice',
    presence: { default: 'longterm' },
    what: 'longterm: FOLL_LONGTERM; fast: the same without mmap_lock; get: a short reference',
  },
  id: { name: 'ID', kind: 'id', presence: { default: '0' }, what: 'the number of the pin' },
  threads: {
    name: 'THREADS',
    kind: 'count',
    presence: { default: '1' },
    what: 'how many tasks read, 16 at most',
  },
  value: { ...VALUE, presence: 'required' },
  values: { ...VALUE, presence: 'some' },
};

/** What a line says in the place of `params`. */
export function argumentsOf(params: Type.TObject, { defaults = {} }: VerbHelp): Argument[] {
  const schemas = params.properties;
  const taken = new Set(Object.keys(schemas));
  if (taken.delete('range')) {
    taken.add('address');
    // As many pages as values.
    if (!taken.has('values')) taken.add('pages');
  }
  const known = Object.keys(ARGUMENTS).filter((param) => taken.delete(param));
  return [...known, ...taken].map((param) => {
    const schema = (schemas[param] ?? {}) as Schema;
    const argument = ARGUMENTS[param] ?? unnamed(param, schema);
    const choices = argument.kind === 'choice' ? { choices: schema.enum ?? [] } : {};
    const usual = defaults[param];
    const placed =
      schemas[param] === wordAddress ? ({ kind: 'word', what: 'eight bytes' } as const) : {};
    const where = usual === 'free' ? { what: 'the first page; free: behind what is mapped' } : {};
    const presence = usual === undefined ? argument.presence : { default: usual };
    return { ...argument, ...choices, ...placed, ...where, presence };
  });
}

interface Schema {
  readonly enum?: readonly string[];
  readonly type?: string;
}

/** A parameter that has no words of its own yet. */
function unnamed(param: string, { enum: choices, type }: Schema): Omit<Argument, 'choices'> {
  const named = { name: param.toUpperCase(), presence: 'required', what: param } as const;
  if (choices !== undefined) return { ...named, kind: 'choice' };
  return { ...named, kind: type === 'integer' ? 'id' : 'u64' };
}

/** The question of a conductor that a line means. */
export function questionOf(verb: string, params: Type.TObject, values: Values): VerbParams {
  const taken = Object.keys(params.properties);
  const said = taken.map((param) => [param, saidOf(param, values, taken)] as const);
  return { verb, ...Object.fromEntries(said.filter(([, value]) => value !== undefined)) };
}

function saidOf(param: string, values: Values, taken: readonly string[]): unknown {
  if (param === 'range') {
    if (!taken.includes('values')) return values.range('ADDRESS', 'PAGES');
    const first = values.page('ADDRESS');
    return { first, end: first + values.u64s('VALUE').length };
  }
  return param === 'values'
    ? values.u64s('VALUE')
    : values.plain(ARGUMENTS[param]?.name ?? param.toUpperCase());
}
