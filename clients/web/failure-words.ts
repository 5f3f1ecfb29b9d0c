/** What a refused request says to a person: no routes, and no names of fields. */
const OF_PROGRAMS = /\b(?:GET|POST|DELETE) \/|\/api\//;
const FIELD = /^(?:body|params|query)(?:\.[\w.[\]]+)?: /;

export interface RefusedWords {
  readonly message?: unknown;
  readonly what?: unknown;
  readonly remedy?: unknown;
}

export function failureWords({ message, what, remedy }: RefusedWords): string {
  return [message, what, remedy]
    .filter((part): part is string => typeof part === 'string' && part !== '')
    .filter((part) => !OF_PROGRAMS.test(part))
    .map((part) => part.replace(FIELD, ''))
    .join(' ');
}
