/** Choices as letters, for the address of a game: `a` is the first actor of the level. */

export function textOfMoves(actors: readonly string[], moves: readonly string[]): string {
  return moves.map((actor) => String.fromCharCode(97 + actors.indexOf(actor))).join('');
}

/** Letters that no actor has are left out. */
export function movesOfText(actors: readonly string[], text: string): string[] {
  return [...text].flatMap((letter) => actors[letter.charCodeAt(0) - 97] ?? []);
}
