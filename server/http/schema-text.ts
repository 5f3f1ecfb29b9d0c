/** A JSON Schema in a few lines that a person reads: `{ name?: string, ... }` with bounds and words behind. */

interface Schema {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly properties?: { readonly [name: string]: Schema };
  readonly required?: readonly string[];
  readonly additionalProperties?: Schema | boolean;
  readonly patternProperties?: { readonly [pattern: string]: Schema };
  readonly items?: Schema;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly maxLength?: number;
  readonly maxItems?: number;
}

/** Objects in objects beyond this depth are only named: the JSON has them. */
const DEPTH_MAX = 7;

export function schemaText(schema: object): string {
  return textOf(schema, '', 0);
}

function textOf(schema: Schema, indent: string, depth: number): string {
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum !== undefined) return schema.enum.map((one) => JSON.stringify(one)).join(' | ');
  if (schema.anyOf !== undefined) return alternatives(schema.anyOf, indent, depth);
  if (schema.allOf !== undefined) {
    return schema.allOf.map((part) => textOf(part, indent, depth)).join(' & ');
  }
  switch (schema.type) {
    case 'object':
      return objectText(schema, indent, depth);
    case 'array':
      return `[ ${textOf(schema.items ?? {}, indent, depth)}, ... ]${most(schema.maxItems)}`;
    case 'integer':
    case 'number':
      return `${schema.type}${bounds(schema)}`;
    case 'string':
      return `string${most(schema.maxLength)}`;
    default:
      return typeof schema.type === 'string' ? schema.type : 'any';
  }
}

function alternatives(branches: readonly Schema[], indent: string, depth: number): string {
  const texts = branches.map((branch) => textOf(branch, indent, depth));
  const line = texts.join(' | ');
  return texts.some((text) => text.includes('\n')) ? texts.join(`\n${indent}| `) : line;
}

function objectText(schema: Schema, indent: string, depth: number): string {
  const { properties = {}, required = [], patternProperties, additionalProperties } = schema;
  if (depth > DEPTH_MAX) return '{ ... }';
  const inner = `${indent}  `;
  const lines = Object.entries(properties).map(([name, property]) => {
    const mark = required.includes(name) ? '' : '?';
    const said = property.description === undefined ? '' : `  // ${property.description}`;
    return `${inner}${name}${mark}: ${textOf(property, inner, depth + 1)}${said}`;
  });
  const others = [
    ...Object.values(patternProperties ?? {}),
    ...(typeof additionalProperties === 'object' ? [additionalProperties] : []),
  ];
  for (const other of others) lines.push(`${inner}[name]: ${textOf(other, inner, depth + 1)}`);
  if (additionalProperties === true) lines.push(`${inner}...`);
  return lines.length === 0 ? '{ }' : `{\n${lines.join('\n')}\n${indent}}`;
}

function bounds({ minimum, maximum, exclusiveMinimum }: Schema): string {
  const least = exclusiveMinimum === undefined ? minimum : `over ${exclusiveMinimum}`;
  if (least === undefined && maximum === undefined) return '';
  return ` (${least ?? '...'} to ${maximum ?? '...'})`;
}

function most(max: number | undefined): string {
  return max === undefined ? '' : ` (at most ${max})`;
}
