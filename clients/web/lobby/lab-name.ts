/** Names of actors are plain letters; what people are called is not. */

const NAME_CHARS_MAX = 16;
/** Letters that are no base and mark. */
const STROKED: { readonly [letter: string]: string } = {
  ø: 'o',
  ł: 'l',
  đ: 'd',
  Ø: 'O',
  Ł: 'L',
  Đ: 'D',
};

/** The nearest name that a lab takes: `José Ángel` is `Jose-Angel`. Empty if nothing of it is left. */
export function labName(text: string): string {
  return text
    .normalize('NFKD')
    .replace(/[\u0300-\u036f]/g, '')
    .replace(/ß/g, 'ss')
    .replace(/[øłđØŁĐ]/g, (letter) => STROKED[letter] ?? '')
    .trim()
    .replace(/[^A-Za-z0-9_.-]+/g, '-')
    .replace(/^[^A-Za-z0-9]+|[-.]+$/g, '')
    .slice(0, NAME_CHARS_MAX);
}
