/** The known word that `word` was probably meant to be, or the only one that begins so; 'none' if there is none. */
export function nearestWord(word: string, known: Iterable<string>): string | 'none' {
  let best: string | 'none' = 'none';
  // A third of the letters may be wrong, and at least one.
  let closest = Math.max(1, Math.floor(word.length / 3)) + 1;
  for (const candidate of known) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (distance < closest) {
      best = candidate;
      closest = distance;
    }
  }
  if (best !== 'none' || word === '') return best;
  const longer = [...known].filter((candidate) => candidate.startsWith(word));
  return longer.length === 1 ? (longer[0] ?? 'none') : 'none';
}

/** Letters inserted, deleted, changed or swapped with their neighbour (optimal string alignment). */
function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let above = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const changed = (above[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1);
      const gap = Math.min(above[column] ?? 0, current[column - 1] ?? 0) + 1;
      const swapped = a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      const swap = swapped && row > 1 ? (before[column - 2] ?? 0) + 1 : gap;
      current.push(Math.min(changed, gap, swap));
    }
    before = above;
    above = current;
  }
  return above[b.length] ?? 0;
}

/** `; did you mean "name"?`, or nothing. */
export function suggestion(word: string, known: Iterable<string>): string {
  const nearest = nearestWord(word, known);
  return nearest === 'none' ? '' : `; did you mean "${nearest}"?`;
}
