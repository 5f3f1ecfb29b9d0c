/** What people type or paste where a code of a lab belongs. */

/**
 * The code or name that `text` means: spaces and dashes are no part of a code, a pasted link is the lab that it leads
 * to, and `Code: 8jfkd` is a code. Empty if there is nothing in it.
 */
export function typedCode(text: string): string {
  const linked = /\/(?:join|lab)\/([^/?#\s]+)/i.exec(text)?.[1];
  if (linked !== undefined) return tidy(decoded(linked));
  return tidy(text.replace(/^\s*(code|join|lab)\s*[:=]?\s+/i, ''));
}

/** Five signs with anything between them are a code; all else may be the name of a lab, and keeps its dashes. */
function tidy(text: string): string {
  const spoken = text.normalize('NFKC').trim();
  const signs = spoken.replace(/[\s\-–—_.·]+/g, '');
  return signs.length === 5 ? signs.toUpperCase() : spoken.replace(/\s+/g, '');
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
