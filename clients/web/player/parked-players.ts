/** Sessions of this tab between two loads of the page. Each is taken once. */
import type { ParkedAgent } from '../../agents/played-agent.ts';

const PREFIX = 'mmrace.parked';

function keyOf(lab: string, role: string, name: string): string {
  return [PREFIX, lab, role, name].join('/');
}

export function keepParked(lab: string, role: string, name: string, parked: ParkedAgent): void {
  try {
    sessionStorage.setItem(keyOf(lab, role, name), JSON.stringify(parked));
  } catch {
    // Where nothing is kept the next page begins anew.
  }
}

/** Trusted: it is this page's own, of the same tab. */
export function takeParked(lab: string, role: string, name: string): ParkedAgent | 'none' {
  try {
    const key = keyOf(lab, role, name);
    const text = sessionStorage.getItem(key);
    sessionStorage.removeItem(key);
    return text === null ? 'none' : (JSON.parse(text) as ParkedAgent);
  } catch {
    return 'none';
  }
}
