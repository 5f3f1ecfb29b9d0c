/** Text for the documents, written over several lines: one line, one blank between two words. */
export function prose(text: string): string {
  return text.trim().replaceAll(/\s+/g, ' ');
}
