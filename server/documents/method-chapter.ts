/** Methods for a reader: what each does, its params, its result, how it can be refused. */
import { ERROR_CODES } from '../protocol/error-codes.ts';
import { paragraphs, table } from './markdown.ts';
import { type FieldRow, fieldRows, typeText } from './markdown-schema.ts';
import { isNotification, type WireMethod, type WireRequest } from './wire-methods.ts';

const BINARY = {
  params: 'A **binary frame**: the pages follow the JSON text.',
  result: 'A **binary frame**: the pages follow the JSON text.',
};

/** One heading of the third level for each method. */
export function methodChapter(methods: readonly WireMethod[]): string {
  return paragraphs(methods.map(methodText));
}

function methodText(method: WireMethod): string {
  const { spec } = method;
  const head = [`### ${method.method}`, `*${method.roles.join(', ')}.* ${spec.meaning}`];
  const params = part('Params', spec.params, spec.sends === 'pages' ? BINARY.params : '');
  if (isNotification(method)) return paragraphs([...head, params]);
  const result = part(
    'Result',
    method.spec.result,
    method.spec.answers === 'pages' ? BINARY.result : '',
  );
  return paragraphs([...head, params, result, refusals(method)]);
}

function part(name: string, schema: WireRequest['spec']['params'], binary: string): string {
  if ('title' in schema) return `${name}: ${typeText(schema)}. ${binary}`;
  const rows = fieldRows(schema);
  if (rows.length === 0) return `${name}: ${typeText(schema)}. ${binary}`;
  return paragraphs([`${name}: ${binary}`, fieldTable(rows)]);
}

export function fieldTable(rows: readonly FieldRow[]): string {
  return table(
    ['field', 'type', 'meaning'],
    rows.map(({ path, type, note }) => [`\`${path}\``, type, note]),
  );
}

function refusals({ kind, spec }: WireRequest): string {
  if (kind === 'question') return '';
  if (spec.errors.length === 0) return 'Refused only as any request is.';
  const words = spec.errors.map((word) => `\`${word}\` (${ERROR_CODES[word].errno})`);
  return `Refused with: ${words.join(', ')}.`;
}
