/** One thing that has to be right, and what to do if it is not. */
export interface Checked {
  readonly name: string;
  /** 'skipped': there is nothing to check. */
  readonly outcome: 'ok' | 'not ok' | 'skipped';
  /** What was found. */
  readonly text: string;
  /** What to do; empty unless it is not ok. */
  readonly remedy: string;
}

export function fine(name: string, text: string): Checked {
  return { name, outcome: 'ok', text, remedy: '' };
}

export function ill(name: string, text: string, remedy: string): Checked {
  return { name, outcome: 'not ok', text, remedy };
}

export function nothingToCheck(name: string, text: string): Checked {
  return { name, outcome: 'skipped', text, remedy: '' };
}

const COLUMNS = { outcome: 8, name: 10 } as const;

/** A line a check, a second one with the remedy where it is not ok. */
export function checkLines({ name, outcome, text, remedy }: Checked): string {
  const line = `${outcome.padEnd(COLUMNS.outcome)} ${name.padEnd(COLUMNS.name)} ${text}`;
  const indent = ' '.repeat(COLUMNS.outcome + COLUMNS.name + 2);
  return remedy === '' ? line : `${line}\n${indent}${remedy}`;
}
