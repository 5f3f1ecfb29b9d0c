import type { Type } from 'typebox';
import { ERRNO_NUMBER } from '../../vocabulary/errno.ts';
import { paragraphs, table } from '../markdown.ts';
import { fieldRows, typeText } from '../markdown-schema.ts';
import { fieldTable } from '../method-chapter.ts';
import { type NamedSchema, VALUES } from '../named-schemas.ts';

/** The values that messages are made of. */
export function valueChapter(): string {
  return paragraphs([
    '## Values',
    `
Two ways to name memory, each where its users think in it: devices, and the kernel's questions to them, speak of page
indices (address / 4096) and ranges; CPU calls speak of byte addresses. Names in *italics* stand for these:
`,
    table(['value', 'JSON', 'meaning'], VALUES.map(row)),
    `Errno names: ${Object.entries(ERRNO_NUMBER)
      .map(([name, number]) => `\`${name}\` ${number}`)
      .join(', ')}.`,
  ]);
}

/** A chapter for an object that several messages hold. */
export function objectPart({ title, schema }: NamedSchema): string {
  return paragraphs([`### The ${title}`, fieldTable(fieldRows(schema))]);
}

function row({ title, schema }: NamedSchema): string[] {
  const { description = '' } = schema as { readonly description?: string };
  return [`*${title}*`, jsonOf(schema), capital(description)];
}

function jsonOf(schema: Type.TSchema): string {
  const { type, minimum, maximum, properties, anyOf, pattern } = schema as {
    readonly [keyword: string]: unknown;
  };
  if (anyOf !== undefined) return typeText(untitled(schema));
  if (isObject(properties)) return `\`{${Object.keys(properties).join(', ')}}\``;
  if (type === 'integer') return `number, ${minimum} to ${shown(maximum)}`;
  return pattern === undefined ? 'string' : `string, \`${pattern}\``;
}

/** The same without its name: here it is explained. */
export function untitled(schema: Type.TSchema): Type.TSchema {
  const { title: _, ...rest } = schema as { readonly title?: string };
  return rest as Type.TSchema;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function shown(maximum: unknown): string {
  return maximum === Number.MAX_SAFE_INTEGER ? '2^53 - 1' : String(maximum);
}

function capital(text: string): string {
  const sentence = text.endsWith('.') ? text : `${text}.`;
  return `${sentence.charAt(0).toUpperCase()}${sentence.slice(1)}`;
}
