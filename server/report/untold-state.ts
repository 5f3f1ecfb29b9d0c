/** State that code of a user keeps and that no step tells of: a search that leaves orders out proves nothing then. */

export type UntoldState =
  /** An execution that was drawn at random came to an end that the search has not seen. */
  | { readonly kind: 'ends otherwise'; readonly state: string }
  /** Two steps, by actor and yield point, that are said to commute. */
  | { readonly kind: 'does not commute'; readonly first: string; readonly second: string };

export function untoldStateText(untold: UntoldState): string {
  const what = 'keeps state that no step announces';
  switch (untold.kind) {
    case 'ends otherwise':
      return `own code ${what}: an order that was left out ends as "${untold.state}"`;
    case 'does not commute':
      return `own code ${what}: ${untold.first} and ${untold.second} are said to commute and do not`;
  }
}
