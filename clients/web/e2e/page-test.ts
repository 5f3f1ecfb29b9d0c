/** test() of node:test for tests of the page: where no browser runs they are skipped, and say what to run. */
import { test as nodeTest } from 'node:test';
import { findBrowser, NO_BROWSER } from './find-browser.ts';

export const A_BROWSER_RUNS = (await findBrowser()) !== 'none';

export function test(title: string, play: () => Promise<void>): void {
  nodeTest(title, { skip: A_BROWSER_RUNS ? false : NO_BROWSER }, play);
}
