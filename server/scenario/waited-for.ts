/** `cpu0 at store 2`: what the operation `wait` names. */

/** The pattern of the text, for the schema. */
export const WAITED_FOR = '^[A-Za-z0-9][A-Za-z0-9_.-]*( at [a-z-]+( [1-9][0-9]?)?)?$';

export interface WaitedFor {
  readonly actor: string;
  /** Absent: the end of all its threads. */
  readonly op?: { readonly does: string; readonly times: number };
}

/** `text` must fit WAITED_FOR. */
export function parseWaitedFor(text: string): WaitedFor {
  const [actor = '', , does, times = '1'] = text.split(' ');
  return does === undefined ? { actor } : { actor, op: { does, times: Number(times) } };
}
