/** `1 execution`, `2 executions`: a number with what it counts. */
export function counted(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`;
}
