/** What this browser remembers between visits. Where it may not, everything is forgotten and nothing breaks. */
const PREFIX = 'mmrace.';

/** Returns: '' if there is nothing. */
export function recall(name: string): string {
  try {
    return localStorage.getItem(PREFIX + name) ?? '';
  } catch {
    return '';
  }
}

export function remember(name: string, value: string): void {
  try {
    if (value === '') localStorage.removeItem(PREFIX + name);
    else localStorage.setItem(PREFIX + name, value);
  } catch {
    // Private windows keep nothing.
  }
}

/** The token of the presenter of a lab, or ''. */
export function presenterToken(lab: string): string {
  return recall(`presenter.${lab}`);
}

export function keepPresenterToken(lab: string, token: string): void {
  remember(`presenter.${lab}`, token);
}
