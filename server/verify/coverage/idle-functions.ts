/**
 * Functions of a module that nothing has called. V8 does not name those that stand in the module itself: a function is
 * reported if it has run, or if what is around it has, and the module ran before anything was counted.
 */
import { type CountedScript, functionAt, isModule } from './reached-code.ts';

/** Where it stands in the text: from `begin` up to `end`. */
export interface IdleFunction {
  readonly name: string;
  readonly begin: number;
  readonly end: number;
}

const DECLARED = /^(?:export\s+)?(?:async\s+)?function\s*\*?\s*([\w$]+)\s*/gm;
const ASSIGNED =
  /^(?:export\s+)?const\s+([\w$]+)[^=\n]*=\s*(?:async\s*)?(?:function\b|\([^;{}]*?\)[^;={}]*=>|[\w$]+\s*=>)/gm;

/** `code`: the text that V8 has counted, its comments as blanks. */
export function idleFunctions(script: CountedScript, code: string): readonly IdleFunction[] {
  return [...code.matchAll(DECLARED), ...code.matchAll(ASSIGNED)].flatMap((found) => {
    const [header, name = ''] = found;
    const inHeader = found.index + header.trimEnd().length - 1;
    const around = functionAt(script, inHeader);
    if (around !== undefined && !isModule(around)) return [];
    const rest = code.slice(inHeader);
    const closing = closingOf(rest).exec(rest);
    const end = inHeader + (closing === null ? rest.length : closing.index + closing[0].length);
    return [{ name, begin: found.index, end }];
  });
}

/** What ends a function whose text, from its header on, is `rest`: the end of its line, or what stands at the left. */
function closingOf(rest: string): RegExp {
  const firstLine = rest.slice(0, rest.indexOf('\n'));
  return /[;}]\s*$/.test(firstLine) ? /$/m : /^\}|^\);/m;
}
