/**
 * Blanks out comments, and if asked strings, so that the rest can be searched with regular expressions. Every
 * character keeps its place: positions and line numbers stay true.
 *
 * Leaves out: regular expressions after a closing parenthesis or brace (`if (x) /re/.test(y)`), read as division.
 */
export type Masked = 'comments' | 'comments-and-strings';

export function maskSource(text: string, masked: Masked): string {
  return new Masker(
    text,
    masked === 'comments-and-strings' ? 'strings-too' : 'comments-only',
  ).run();
}

/** The characters after which a slash begins a regular expression and not a division. */
const BEFORE_REGEX = /(?:^|[(,=:[!&|?{};+\-*%<>~^]|\b(?:return|typeof|case|in|of|yield|await))\s*$/;

const SPECIAL = /[/'"`{}]/g;

class Masker {
  readonly #text: string;
  readonly #strings: 'strings-too' | 'comments-only';
  readonly #out: string[] = [];
  #at = 0;

  constructor(text: string, strings: 'strings-too' | 'comments-only') {
    this.#text = text;
    this.#strings = strings;
  }

  run(): string {
    this.#code('end-of-file');
    return this.#out.join('');
  }

  #code(until: 'end-of-file' | 'closing-brace'): void {
    let depth = 0;
    while (this.#at < this.#text.length) {
      this.#keep(this.#indexOfSpecial() - this.#at);
      const char = this.#text[this.#at];
      const pair = this.#text.slice(this.#at, this.#at + 2);
      if (pair === '//') this.#blankTo(this.#indexAfter('\n', 0));
      else if (pair === '/*') this.#blankTo(this.#indexAfter('*/', 2));
      else if (char === "'" || char === '"') this.#string(char);
      else if (char === '`') this.#template();
      else if (char === '/' && BEFORE_REGEX.test(this.#out.slice(-40).join('').slice(-40)))
        this.#regex();
      else {
        if (char === '{') depth += 1;
        if (char === '}') {
          if (depth === 0 && until === 'closing-brace') return;
          depth -= 1;
        }
        this.#keep(1);
      }
    }
  }

  #string(quote: string): void {
    let end = this.#at + 1;
    while (end < this.#text.length && this.#text[end] !== quote && this.#text[end] !== '\n') {
      end += this.#text[end] === '\\' ? 2 : 1;
    }
    this.#literalTo(end + 1);
  }

  #template(): void {
    this.#keep(1);
    while (this.#at < this.#text.length && this.#text[this.#at] !== '`') {
      if (this.#text.startsWith('${', this.#at)) {
        this.#keep(2);
        this.#code('closing-brace');
        this.#keep(1);
      } else {
        this.#inLiteral(this.#text[this.#at] === '\\' ? 2 : 1);
      }
    }
    this.#keep(1);
  }

  #regex(): void {
    let inClass = false;
    let end = this.#at + 1;
    for (; end < this.#text.length && this.#text[end] !== '\n'; end += 1) {
      const char = this.#text[end];
      if (char === '\\') end += 1;
      else if (char === '[') inClass = true;
      else if (char === ']') inClass = false;
      else if (char === '/' && !inClass) break;
    }
    this.#literalTo(end + 1);
  }

  /** A literal up to `end`, its delimiters kept. */
  #literalTo(end: number): void {
    this.#keep(1);
    this.#inLiteral(Math.max(0, Math.min(end, this.#text.length) - 1 - this.#at));
    this.#keep(1);
  }

  #inLiteral(count: number): void {
    if (this.#strings === 'strings-too') this.#blankTo(this.#at + count);
    else this.#keep(count);
  }

  #keep(count: number): void {
    const end = Math.min(this.#at + count, this.#text.length);
    this.#out.push(this.#text.slice(this.#at, end));
    this.#at = end;
  }

  #blankTo(end: number): void {
    const blanked = this.#text.slice(this.#at, end);
    this.#out.push(blanked.replaceAll(/[^\n]/g, ' '));
    this.#at += blanked.length;
  }

  /** Of the next character that may begin a comment, a literal or a block, or end one. */
  #indexOfSpecial(): number {
    SPECIAL.lastIndex = this.#at;
    return SPECIAL.exec(this.#text)?.index ?? this.#text.length;
  }

  #indexAfter(needle: string, length: number): number {
    const found = this.#text.indexOf(needle, this.#at + length);
    return found < 0 ? this.#text.length : found + length;
  }
}
