import type { VerbResult } from '../../sdk/conductor.ts';

/** What a verb came to, in few words: the value first. */
export function resultWords(result: VerbResult): string {
  const { errno, signal, values, value } = result;
  if (signal !== undefined) return `${signal}: the access was not possible`;
  if (errno !== undefined && errno !== 'OK') return String(errno);
  if (value !== undefined) return String(value);
  if (Array.isArray(values) && values.length > 0) return values.join(' ');
  return 'done';
}
