/**
 * What is put into the text of users' files when they are loaded, line by line as they are: each turn of a loop is
 * counted, and each call in a generator is noted. So a loop that lets no task run is found by its turns, whatever the
 * machine is busy with, and a task that was made and never run is known by the call that made it.
 *
 * Leaves out: recursion (the stack ends it), calls in an optional chain, calls outside of generators.
 */
import { stripTypeScriptTypes } from 'node:module';
import { type Node, parse } from 'acorn';

/** Where a text goes in, and what. */
interface Insertion {
  readonly at: number;
  readonly text: string;
}

const TURN = '__mmraceTurn';
const CALLED = '__mmraceCalled';
const LOOPS = new Set([
  'ForStatement',
  'ForInStatement',
  'ForOfStatement',
  'WhileStatement',
  'DoWhileStatement',
]);

/**
 * The same program, prepared. `watcher` is the URL of the module that exports noteTurn() and noteCalled(). What cannot
 * be parsed is returned as it is: the loader says what is wrong.
 */
export function preparedCode(source: string, language: 'ts' | 'js', watcher: string): string {
  let text: string;
  let program: Node;
  try {
    text = language === 'ts' ? withoutTypes(source) : source;
    program = parse(text, { ecmaVersion: 'latest', sourceType: 'module', allowHashBang: true });
  } catch {
    return source;
  }
  if (text.startsWith('#!')) return source;
  const insertions: Insertion[] = [];
  visit(program, { text, insertions, inGenerator: false });
  const names = `noteTurn as ${TURN}, noteCalled as ${CALLED}`;
  const head = `import { ${names} } from ${JSON.stringify(watcher)};`;
  return head + inserted(text, insertions);
}

/** Lines and columns stay. Node warns of the function, which it uses itself for the same files. */
function withoutTypes(source: string): string {
  const { emitWarning } = process;
  process.emitWarning = () => undefined;
  try {
    return stripTypeScriptTypes(source);
  } finally {
    process.emitWarning = emitWarning;
  }
}

function inserted(text: string, insertions: readonly Insertion[]): string {
  // Of two at one place the outer one comes first at the beginning of a call, and last at its end: as they were noted.
  const inOrder = insertions.map((one, at) => ({ ...one, order: at }));
  inOrder.sort((a, b) => a.at - b.at || a.order - b.order);
  let made = '';
  let from = 0;
  for (const { at, text: piece } of inOrder) {
    made += text.slice(from, at) + piece;
    from = at;
  }
  return made + text.slice(from);
}

interface Visit {
  readonly text: string;
  readonly insertions: Insertion[];
  readonly inGenerator: boolean;
}

type Tree = Node & Readonly<Record<string, unknown>>;

function visit(node: Node, visiting: Visit): void {
  const tree = node as Tree;
  const { type } = tree;
  if (type === 'ChainExpression') {
    // In a chain no call may be taken out: what follows is skipped with it. Functions in it are as any others.
    visitChildren(tree, { ...visiting, inGenerator: false });
    return;
  }
  if (LOOPS.has(type)) countTurns(tree.body as Tree, visiting);
  const note = type === 'CallExpression' && visiting.inGenerator && canBeNoted(tree);
  if (note) visiting.insertions.push({ at: tree.start, text: `${CALLED}(` });
  visitChildren(tree, within(tree, visiting));
  if (!note) return;
  const callee = tree.callee as Tree;
  const name = visiting.text.slice(callee.start, callee.end).replaceAll(/\s+/g, '');
  visiting.insertions.push({ at: tree.end, text: `, ${JSON.stringify(name)})` });
}

function within(tree: Tree, visiting: Visit): Visit {
  const isFunction = /Function/.test(tree.type);
  if (!isFunction) return visiting;
  return { ...visiting, inGenerator: tree.generator === true };
}

function visitChildren(tree: Tree, visiting: Visit): void {
  const runsAtOnce = tree.type === 'YieldExpression' && tree.delegate === true;
  for (const [name, value] of Object.entries(tree)) {
    for (const child of Array.isArray(value) ? value : [value]) {
      if (!isNode(child)) continue;
      if (runsAtOnce && name === 'argument' && child.type === 'CallExpression') {
        visitChildren(child as Tree, visiting);
      } else visit(child, visiting);
    }
  }
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value && 'start' in value;
}

function canBeNoted({ callee }: Tree): boolean {
  const { type } = callee as Tree;
  return type !== 'Super' && type !== 'Import';
}

function countTurns(body: Tree, { insertions }: Visit): void {
  if (body.type === 'BlockStatement') {
    insertions.push({ at: body.start + 1, text: `${TURN}();` });
    return;
  }
  insertions.push({ at: body.start, text: `{${TURN}();` });
  insertions.push({ at: body.end, text: '}' });
}
