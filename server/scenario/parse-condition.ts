/** Reads conditions: or binds loosest, then and, then not. */
import { type Condition, canonicalValue, type Term } from './condition.ts';

interface Token {
  readonly text: string;
  /** Counts from 0. */
  readonly at: number;
}

export interface ConditionProblem {
  /** Characters into the expression, from 0. */
  readonly at: number;
  readonly message: string;
}

export type ParsedCondition =
  | { readonly ok: true; readonly condition: Condition }
  | { readonly ok: false; readonly problem: ConditionProblem };

/** Parentheses in parentheses. */
const DEPTH_MAX = 32;
const TOKEN = /\s*(\/\\|\\\/|!=|~|=|\(|\)|,|[A-Za-z0-9_.+-]+)/y;
const WORD = /^[A-Za-z0-9_.+-]+$/;

export function parseCondition(text: string): ParsedCondition {
  try {
    const tokens = tokensOf(text);
    const reader = new Reader(tokens, text.length);
    return { ok: true, condition: reader.whole() };
  } catch (error) {
    if (error instanceof Complaint) return { ok: false, problem: error.problem };
    throw error;
  }
}

class Complaint extends Error {
  readonly problem: ConditionProblem;
  constructor(at: number, message: string) {
    super(message);
    this.problem = { at, message };
  }
}

function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.length) {
    const from = TOKEN.lastIndex;
    const found = TOKEN.exec(text);
    if (found === null) {
      const rest = text.slice(from);
      if (rest.trim() === '') break;
      const at = from + (rest.length - rest.trimStart().length);
      throw new Complaint(at, `"${text[at]}" does not belong into a condition`);
    }
    const word = found[1] as string;
    tokens.push({ text: word, at: TOKEN.lastIndex - word.length });
  }
  return tokens;
}

class Reader {
  readonly #tokens: readonly Token[];
  readonly #end: number;
  #next = 0;
  #depth = 0;

  constructor(tokens: readonly Token[], end: number) {
    this.#tokens = tokens;
    this.#end = end;
  }

  whole(): Condition {
    const condition = this.#or();
    if (this.#peek() !== '') this.#complain('expected "and", "or" or the end');
    return condition;
  }

  #or(): Condition {
    return this.#chain('or', ['or', '\\/'], () => this.#and());
  }

  #and(): Condition {
    return this.#chain('and', ['and', '/\\'], () => this.#not());
  }

  #chain(kind: 'and' | 'or', words: readonly string[], part: () => Condition): Condition {
    const first = part();
    const parts = [first];
    while (words.includes(this.#peek())) {
      this.#next += 1;
      parts.push(part());
    }
    return parts.length === 1 ? first : { kind, parts };
  }

  #not(): Condition {
    this.#depth += 1;
    if (this.#depth > DEPTH_MAX) this.#complain(`expected at most ${DEPTH_MAX} levels`);
    const condition = this.#takes('not', '~')
      ? ({ kind: 'not', part: this.#not() } as const)
      : this.#primary();
    this.#depth -= 1;
    return condition;
  }

  #primary(): Condition {
    if (this.#takes('(')) {
      const inner = this.#or();
      this.#expect(')');
      return inner;
    }
    if (this.#takes('stuck')) return { kind: 'stuck' };
    const term = this.#term();
    const relation = this.#takes('!=') ? '!=' : '=';
    if (relation === '=') this.#expect('=');
    return { kind: 'compare', term, relation, value: canonicalValue(this.#word('a value')) };
  }

  #term(): Term {
    const start = this.#next;
    const word = this.#word('actor.register, pte(vma), mirror(device, vma) or stuck');
    if ((word === 'pte' || word === 'mirror') && this.#takes('(')) {
      if (word === 'pte') {
        const place = this.#word('the name of a vma');
        this.#expect(')');
        return { kind: 'pte', place };
      }
      const actor = this.#word('the name of a device');
      this.#expect(',');
      const place = this.#word('the name of a vma');
      this.#expect(')');
      return { kind: 'mirror', actor, place };
    }
    const dot = word.lastIndexOf('.');
    if (dot <= 0 || dot === word.length - 1) {
      this.#next = start;
      this.#complain('expected actor.register, pte(vma), mirror(device, vma) or stuck');
    }
    return { kind: 'register', actor: word.slice(0, dot), register: word.slice(dot + 1) };
  }

  #peek(): string {
    return this.#tokens[this.#next]?.text ?? '';
  }

  #takes(...words: readonly string[]): boolean {
    if (!words.includes(this.#peek())) return false;
    this.#next += 1;
    return true;
  }

  #expect(text: string): void {
    if (!this.#takes(text)) this.#complain(`expected "${text}"`);
  }

  #word(what: string): string {
    const word = this.#peek();
    if (!WORD.test(word)) this.#complain(`expected ${what}`);
    this.#next += 1;
    return word;
  }

  #complain(message: string): never {
    const token = this.#tokens[this.#next];
    const got = token === undefined ? 'the end' : `"${token.text}"`;
    throw new Complaint(token?.at ?? this.#end, `${message}, got ${got}`);
  }
}
