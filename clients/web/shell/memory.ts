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

/** The token of the server, from the address that it prints, or ''. */
export function serverToken(): string {
  return recall('token');
}

export function keepServerToken(token: string): void {
  remember('token', token);
}

/** What a hello and a request call a lab: its name, or its code, where names do not let in. */
export function doorOf(lab: string): string {
  return recall(`door.${lab}`) || lab;
}

/** `door` is '' where the name is enough. */
export function keepDoor(lab: string, door: string): void {
  if (recall(`door.${lab}`) !== door) remember(`door.${lab}`, door);
}
