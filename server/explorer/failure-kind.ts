/** What a failure is, without the particulars: two schedules show the same bug if their failures are of one kind. */

const KINDS = [
  /^OR5: (deadlock|livelock|lost wake-up)/,
  /^kernel BUG: \[\w+\]/,
  /^[A-Z]{2,3}\d+(?=: )/,
] as const;

/** `OR5: deadlock`, `OR1`, `kernel BUG: [FR1]`; a failure that no rule names is its own kind. */
export function failureKind(failure: string): string {
  for (const kind of KINDS) {
    const [found] = kind.exec(failure) ?? [];
    if (found !== undefined) return found;
  }
  return failure;
}
