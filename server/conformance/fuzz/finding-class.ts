import type { Finding } from './run-fuzz-program.ts';

/** What two findings have in common that are probably one bug: the rule, and the text without its numbers. */
export function findingClass({ rule, text }: Finding): string {
  return `${rule} ${text.replace(/0x[0-9a-f]+|\d+/g, 'N')}`;
}
