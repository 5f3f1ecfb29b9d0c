/** What a test waits for in a window: that something is there, or is there no more. */
import type { Locator } from 'playwright-core';

const LOOK_MS = 25;
/** A machine that is busy with other things is slow, not wrong: only what never comes is. */
export const PATIENCE_MS = 60_000;

/** Resolves with its text when the first match is there and visible. Rejects if it does not come. */
export async function appears(locator: Locator): Promise<string> {
  const first = locator.first();
  const text = (await first.textContent({ timeout: PATIENCE_MS })) ?? '';
  await until(`"${text}" can be seen`, () => first.isVisible());
  return text;
}

/** Resolves when nothing matches any more. Rejects if it stays. */
export function disappears(locator: Locator): Promise<void> {
  return until(`${locator} is gone`, async () => (await locator.count()) === 0);
}

async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  while (!(await isSo())) {
    if (performance.now() > end) throw new Error(`waited in vain until ${what}`);
    await new Promise((resolve) => {
      setTimeout(resolve, LOOK_MS);
    });
  }
}
