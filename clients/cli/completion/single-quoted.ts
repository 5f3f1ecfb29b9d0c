/** A word of a shell, whatever is in it. */
export function single(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
