/** The functions of a module by its text: those that V8 does not report, since nothing has called them, as well. */
import { childNodes, isNode, type ParsedCode, type Tree } from '../../scenario/parsed-code.ts';

export interface FileFunction {
  /** As it is declared or assigned; empty if it has no name. */
  readonly name: string;
  /** Offsets of its body, which ends where the function ends. */
  readonly begin: number;
  readonly end: number;
  readonly tree: Tree;
  /** 'maker': what it makes is in this list as well; what stands in between runs whenever a world is built. */
  readonly kind: 'maker' | 'code';
}

/** What makes the overrides, or a device, runs whenever a world is built: that says nothing. */
const MAKERS: readonly string[] = ['overrides', 'newDevice'];

/** A function that runs whenever a world is built. */
export function isMaker(name: string): boolean {
  return MAKERS.includes(name);
}

/** In the order of their beginnings. Functions within a function that is 'code' are a part of it. */
export function fileFunctions({ program }: ParsedCode): readonly FileFunction[] {
  const found: FileFunction[] = [];
  collect(program, '', found);
  return found;
}

/** Returns: whether there is a maker in it. */
function collect(tree: Tree, name: string, found: FileFunction[]): boolean {
  if (!isFunction(tree)) return collectIn(tree, found);
  const place = found.length;
  const holdsMaker = collectIn(tree, found);
  const kind = isMaker(name) || holdsMaker ? 'maker' : 'code';
  if (kind === 'code') found.length = place;
  const body = tree.body as Tree;
  found.splice(place, 0, {
    name: ownName(tree) || name,
    begin: body.start,
    end: tree.end,
    tree,
    kind,
  });
  return kind === 'maker';
}

function collectIn(tree: Tree, found: FileFunction[]): boolean {
  let holdsMaker = false;
  for (const child of childNodes(tree)) {
    holdsMaker = collect(child, nameOf(tree, child), found) || holdsMaker;
  }
  return holdsMaker;
}

function isFunction({ type }: Tree): boolean {
  return /^(?:FunctionDeclaration|FunctionExpression|ArrowFunctionExpression)$/.test(type);
}

function ownName({ id }: Tree): string {
  return isNode(id) ? String(id.name) : '';
}

/** What `parent` calls the function in it. */
function nameOf(parent: Tree, child: Tree): string {
  const { key, id, left, value, init, right } = parent;
  if (child !== value && child !== init && child !== right) return '';
  const named = [key, id, left].find(isNode);
  if (named === undefined) return '';
  return String(named.name ?? named.value ?? (named.property as Tree | undefined)?.name ?? '');
}
