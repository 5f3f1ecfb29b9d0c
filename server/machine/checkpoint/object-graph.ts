/**
 * A graph of objects as plain data, and back into objects. Every field is written without being named anywhere: what
 * cannot be written (a function, an object of a class) is an error, unless it stands again at the same place of a graph
 * that was made in the same way, or is named by both sides. So no field is forgotten in silence.
 *
 * Objects are numbered breadth first from the root; identity and circles are kept, and the order of Maps and Sets.
 */

type Value = string | number | boolean | null | readonly [number] | readonly [Mark, string?];
/** undefined; a function, which stands where it is; a bigint; a number that JSON has not; a hole of an array. */
type Mark = 'u' | 'f' | 'n' | 'd' | 'h';

/**
 * 'o' an object with the fields of a shape, 'a' an array, 'm' a Map (keys and values in turn), 's' a Set, 'b' an array
 * of numbers with its class, 'k' one that both sides know by name, 'p' the same with fields that are written as well,
 * 'c' one that is made by a function, by its name and with what it gets, before its fields are filled.
 */
export type GraphNode =
  | readonly ['o', number, ...Value[]]
  | readonly ['a' | 'm' | 's', ...Value[]]
  | readonly ['b', NumbersClass, string]
  | readonly ['k', string]
  | readonly ['p', string, number, ...Value[]]
  | readonly ['c', string, readonly unknown[], number, ...Value[]];

export interface Graph {
  /** Lists of fields. */
  readonly shapes: readonly (readonly string[])[];
  readonly nodes: readonly GraphNode[];
}

/** What both sides know, so that it need not be written, or not as a whole. */
export interface GraphRules {
  /** By name; 'as it is': it is the same on both sides, or made anew by the reader. */
  readonly known: ReadonlyMap<string, Known>;
  readonly makers: readonly Maker[];
  readonly bytes: BytesText;
}

export interface Known {
  readonly object: object;
  readonly fields: 'as they are' | 'written';
}

/** Makes what has functions of its own. */
export interface Maker {
  readonly name: string;
  /** What it was made from; 'no' if it is something else. */
  readonly madeFrom: (object: object) => readonly unknown[] | 'no';
  readonly make: (from: readonly unknown[]) => object;
}

/** Bytes as text. */
export interface BytesText {
  readonly textOf: (bytes: Uint8Array) => string;
  readonly bytesOf: (text: string) => Uint8Array<ArrayBuffer>;
}

const NUMBERS = {
  Uint8Array,
  Int32Array,
  Uint16Array,
  Uint32Array,
  Float64Array,
} as const;
type NumbersClass = keyof typeof NUMBERS;
type Numbers = InstanceType<(typeof NUMBERS)[NumbersClass]>;

/** What is no data, or no graph. */
export class GraphError extends Error {
  constructor(text: string) {
    super(text);
    this.name = 'GraphError';
  }
}

type Fields = Record<string, unknown>;

/** Throws: GraphError. */
export function writeGraph(root: object, rules: GraphRules): Graph {
  return new Writer(rules).write(root);
}

class Writer {
  readonly #rules: GraphRules;
  readonly #names: Map<object, string>;
  readonly #ids = new Map<object, number>();
  readonly #objects: object[] = [];
  /** For messages: which object leads to which, and how. */
  readonly #from: { readonly id: number; readonly field: string }[] = [];
  readonly #shapes: string[][] = [];
  readonly #shapeOf = new Map<string, number>();
  #at = 0;

  constructor(rules: GraphRules) {
    this.#rules = rules;
    this.#names = new Map([...rules.known].map(([name, { object }]) => [object, name]));
  }

  write(root: object): Graph {
    const nodes: GraphNode[] = [];
    this.#idOf(root, 'root');
    for (; this.#at < this.#objects.length; this.#at += 1) {
      nodes.push(this.#node(this.#objects[this.#at] as object));
    }
    return { shapes: this.#shapes, nodes };
  }

  #node(object: object): GraphNode {
    const name = this.#names.get(object);
    if (name !== undefined) {
      if (this.#rules.known.get(name)?.fields !== 'written') return ['k', name];
      return ['p', name, ...this.#fields(object)];
    }
    if (Array.isArray(object)) return ['a', ...this.#items(object)];
    if (object instanceof Map) return ['m', ...this.#items([...object].flat(1))];
    if (object instanceof Set) return ['s', ...this.#items([...object])];
    if (ArrayBuffer.isView(object)) return this.#numbers(object);
    for (const { name: by, madeFrom } of this.#rules.makers) {
      const from = madeFrom(object);
      if (from !== 'no') return ['c', by, from, ...this.#fields(object)];
    }
    if (Object.getPrototypeOf(object) !== Object.prototype) {
      throw this.#error(`an object of class ${object.constructor.name}`);
    }
    return ['o', ...this.#fields(object)];
  }

  #fields(object: object): [number, ...Value[]] {
    if (Object.getOwnPropertySymbols(object).length > 0) throw this.#error('a symbol');
    const keys = Object.keys(object);
    const name = keys.join();
    let shape = this.#shapeOf.get(name);
    if (shape === undefined) {
      shape = this.#shapes.length;
      this.#shapes.push(keys);
      this.#shapeOf.set(name, shape);
    }
    const values = keys.map((key) => this.#value((object as Fields)[key], key));
    return [shape, ...values];
  }

  #items(items: readonly unknown[]): Value[] {
    const values: Value[] = [];
    for (let at = 0; at < items.length; at += 1) {
      values.push(at in items ? this.#value(items[at], String(at)) : ['h']);
    }
    return values;
  }

  #value(value: unknown, field: string): Value {
    switch (typeof value) {
      case 'string':
      case 'boolean':
        return value;
      case 'number':
        if (Number.isFinite(value) && !Object.is(value, -0)) return value;
        return ['d', Object.is(value, -0) ? '-0' : String(value)];
      case 'bigint':
        return ['n', String(value)];
      case 'undefined':
        return ['u'];
      case 'function':
        return ['f'];
      case 'object':
        return value === null ? null : [this.#idOf(value, field)];
      default:
        throw this.#error(`${typeof value} at ${field}`);
    }
  }

  #idOf(object: object, field: string): number {
    const known = this.#ids.get(object);
    if (known !== undefined) return known;
    const id = this.#objects.length;
    this.#ids.set(object, id);
    this.#objects.push(object);
    this.#from.push({ id: this.#at, field });
    return id;
  }

  #numbers(view: ArrayBufferView): GraphNode {
    const kind = view.constructor.name as NumbersClass;
    if (!Object.hasOwn(NUMBERS, kind)) throw this.#error(`a ${kind}`);
    const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
    return ['b', kind, this.#rules.bytes.textOf(bytes)];
  }

  #error(found: string): GraphError {
    const path: string[] = [];
    for (let id = this.#at; id > 0; ) {
      const from = this.#from[id];
      if (from === undefined) break;
      path.unshift(from.field);
      id = from.id;
    }
    return new GraphError(`cannot write ${found} at ${path.join('.')}`);
  }
}

/**
 * Fills `root`, which was made as the root of the graph was, in place: objects that stand at the same place stay the
 * same objects, so that functions which know them go on with them.
 *
 * Throws: GraphError. The root is then of no further use.
 */
export function readGraph(graph: Graph, root: object, rules: GraphRules): void {
  new Reader(graph, rules).read(root);
}

class Reader {
  readonly #graph: Graph;
  readonly #rules: GraphRules;
  readonly #objects: (object | undefined)[] = [];
  /** Objects that stand for one of the graph already. */
  readonly #taken = new Set<object>();

  constructor(graph: Graph, rules: GraphRules) {
    this.#graph = graph;
    this.#rules = rules;
    for (const { object } of rules.known.values()) this.#taken.add(object);
  }

  read(root: object): void {
    this.#objects[0] = root;
    this.#taken.add(root);
    for (const [id, node] of this.#graph.nodes.entries()) {
      const object = this.#objects[id];
      if (object === undefined) throw new GraphError(`node ${id} belongs to nothing`);
      this.#fill(object, node);
    }
  }

  #fill(object: object, node: GraphNode): void {
    switch (node[0]) {
      case 'o':
        this.#fillFields(object as Fields, node[1], node, 2);
        return;
      case 'p':
        this.#fillFields(object as Fields, node[2], node, 3);
        return;
      case 'c':
        this.#fillFields(object as Fields, node[3], node, 4);
        return;
      case 'a':
        this.#fillArray(object as unknown[], node);
        return;
      case 'm': {
        const map = object as Map<unknown, unknown>;
        map.clear();
        for (let at = 1; at < node.length; at += 2) {
          const key = this.#value(node[at] as Value, undefined);
          map.set(key, this.#value(node[at + 1] as Value, undefined));
        }
        return;
      }
      case 's': {
        const set = object as Set<unknown>;
        set.clear();
        for (let at = 1; at < node.length; at += 1) {
          set.add(this.#value(node[at] as Value, undefined));
        }
        return;
      }
      case 'b':
      case 'k':
    }
  }

  #fillFields(fields: Fields, shape: number, values: readonly unknown[], first: number): void {
    const keys = this.#graph.shapes[shape];
    if (keys === undefined) throw new GraphError(`there is no shape ${shape}`);
    for (const [at, key] of keys.entries()) {
      const before = fields[key];
      const value = this.#value(values[first + at] as Value, before);
      if (value === before && Object.hasOwn(fields, key)) continue;
      if (Object.getOwnPropertyDescriptor(fields, key)?.get !== undefined) {
        throw new GraphError(`${key} cannot be set`);
      }
      fields[key] = value;
    }
    const present = Object.keys(fields);
    if (present.length === keys.length) return;
    for (const key of present) if (!keys.includes(key)) delete fields[key];
  }

  #fillArray(array: unknown[], node: readonly unknown[]): void {
    const length = node.length - 1;
    for (let at = 0; at < length; at += 1) {
      const value = node[at + 1] as Value;
      if (Array.isArray(value) && value[0] === 'h') delete array[at];
      else array[at] = this.#value(value, typeof array[at] === 'function' ? array[at] : undefined);
    }
    array.length = length;
  }

  /** `before`: what stands at the place. */
  #value(value: Value, before: unknown): unknown {
    if (!Array.isArray(value)) return value;
    const [mark, text = ''] = value as readonly [number | Mark, string?];
    switch (mark) {
      case 'u':
        return undefined;
      case 'f':
        if (typeof before === 'function') return before;
        throw new GraphError('a function is not there');
      case 'n':
        return BigInt(text);
      case 'd':
        return Number(text);
      case 'h':
        throw new GraphError('a hole outside an array');
      default:
        return this.#object(mark, before);
    }
  }

  #object(id: number, before: unknown): object {
    const known = this.#objects[id];
    if (known !== undefined) return known;
    const node = this.#graph.nodes[id];
    if (node === undefined) throw new GraphError(`there is no node ${id}`);
    const object = this.#objectFor(node, before);
    this.#objects[id] = object;
    this.#taken.add(object);
    return object;
  }

  #objectFor(node: GraphNode, before: unknown): object {
    switch (node[0]) {
      case 'k':
      case 'p': {
        const found = this.#rules.known.get(node[1]);
        if (found === undefined) throw new GraphError(`nothing is known as ${node[1]}`);
        return found.object;
      }
      case 'b':
        return numbersFrom(node[1], this.#rules.bytes.bytesOf(node[2]));
      case 'c': {
        const maker = this.#rules.makers.find(({ name }) => name === node[1]);
        if (maker === undefined) throw new GraphError(`nothing makes ${node[1]}`);
        const there = this.#free(before) && JSON.stringify(maker.madeFrom(before as object));
        return there === JSON.stringify(node[2]) ? (before as object) : maker.make(node[2]);
      }
      case 'a':
        return this.#free(before) && Array.isArray(before) ? before : [];
      case 'm':
        return this.#free(before) && before instanceof Map ? before : new Map();
      case 's':
        return this.#free(before) && before instanceof Set ? before : new Set();
      case 'o':
        return this.#free(before) && isPlain(before) ? before : {};
    }
  }

  #free(before: unknown): before is object {
    return typeof before === 'object' && before !== null && !this.#taken.has(before);
  }
}

function isPlain(object: object): boolean {
  return Object.getPrototypeOf(object) === Object.prototype && !Object.isFrozen(object);
}

function numbersFrom(kind: NumbersClass, bytes: Uint8Array<ArrayBuffer>): Numbers {
  const Class = NUMBERS[kind];
  if (Class === undefined) throw new GraphError(`there is no ${kind}`);
  // In a buffer of its own: a view must begin where its elements may.
  const { buffer } = bytes.slice();
  return new Class(buffer);
}
