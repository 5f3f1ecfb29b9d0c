/**
 * What is put into the text of users' files when they are loaded, line by line as they are: each turn of a loop is
 * counted, and each call in a generator is noted. So a loop that lets no task run is found by its turns, whatever the
 * machine is busy with, and a task that was made and never run is known by the call that made it.
 *
 * Leaves out: recursion (the stack ends it), calls in an optional chain, calls outside of generators.
 */
import { isNode, type Language, parsedCode, type Tree } from './parsed-code.ts';

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
export function preparedCode(source: string, language: Language, watcher: string): string {
  const parsed = parsedCode(source, language);
  if (parsed === 'not parsable' || source.startsWith('#!')) return source;
  const { text, program } = parsed;
  const insertions: Insertion[] = [];
  visit(program, { text, insertions, inGenerator: false });
  const names = `noteTurn as ${TURN}, noteCalled as ${CALLED}`;
  const head = `import { ${names} } from ${JSON.stringify(watcher)};`;
  return head + inserted(text, insertions);
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

function visit(tree: Tree, visiting: Visit): void {
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
        visitChildren(child, visiting);
      } else visit(child, visiting);
    }
  }
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
