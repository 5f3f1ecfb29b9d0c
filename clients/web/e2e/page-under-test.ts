/** A server of its own with the built page, and a browser that looks at it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { DEFAULT_CONFIG, type ServerConfig } from '../../../server/app/config.ts';
import { type RunningServer, startServer } from '../../../server/app/start-server.ts';
import { ensurePage } from '../build/ensure-page.ts';
import type { FoundBrowser } from './bundled-browser.ts';
import { findBrowser, NO_BROWSER } from './find-browser.ts';
import { PATIENCE_MS } from './seen.ts';

/** Nothing that a browser does besides, and nothing that leaves this machine. */
export const BROWSER_FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

const SERVER: ServerConfig = {
  ...DEFAULT_CONFIG,
  host: '127.0.0.1',
  port: 0,
  logLevel: 'fatal',
  drainMs: 100,
  // Whoever is slow because the machine is busy is not fenced for it.
  leaseMs: PATIENCE_MS,
  heartbeatMs: PATIENCE_MS,
};
const STARTS = 3;
/** What the console of a browser says when the server is busy and puts a request off: the page asks again. */
const PUT_OFF = '503';

export interface Size {
  readonly width: number;
  readonly height: number;
}

export const DESK: Size = { width: 1_440, height: 900 };
export const PHONE: Size = { width: 390, height: 844 };
export const PROJECTOR: Size = { width: 1_920, height: 1_080 };

export interface PageUnderTest {
  readonly server: RunningServer;
  /** A window of its own: it shares nothing with the others but the server. What moves is at rest at once. */
  open(address: string, size?: Size): Promise<Page>;
  /** What went wrong in any of the windows so far: scripts that threw, and what the console calls an error. */
  readonly complaints: readonly string[];
  /** Closes every window that is open: the next test has the machine for itself. */
  closeAll(): Promise<void>;
  /** Ends the server and starts another one on the same port. */
  restartServer(): Promise<void>;
  end(): Promise<void>;
}

export interface LaunchedBrowser {
  readonly browser: Browser;
  close(): Promise<void>;
}

/** 'left over': it computes with what the others on this machine leave, like a browser on a machine of its own. */
export type Share = 'equal' | 'left over';

/** With a profile of its own that is gone afterwards. Rejects if there is no browser: see findBrowser(). */
export async function launchBrowser(share: Share = 'equal'): Promise<LaunchedBrowser> {
  const found = await findBrowser();
  if (found === 'none') throw new Error(NO_BROWSER);
  const profile = mkdtempSync(join(tmpdir(), 'mmrace-browser-'));
  const program = share === 'equal' ? found : niced(found, profile);
  const browser = await started(program, profile);
  return {
    browser,
    async close() {
      await browser.close();
      rmSync(profile, { recursive: true, force: true });
    },
  };
}

/** All its processes inherit what the first one has: they are not there yet when it starts. */
function niced(found: FoundBrowser, profile: string): FoundBrowser {
  const executablePath = join(profile, 'niced-browser');
  writeFileSync(executablePath, `#!/bin/sh\nexec nice -n 19 "${found.executablePath}" "$@"\n`, {
    mode: 0o755,
  });
  return { ...found, executablePath };
}

/**
 * A browser that crashes before it can be spoken to is started again: it is not what is tested, and a start of Chromium
 * in some hundreds ends with SIGSEGV.
 */
async function started(found: FoundBrowser, profile: string, attempt = 1): Promise<Browser> {
  try {
    return await chromium.launch({
      executablePath: found.executablePath,
      env: { ...found.environment },
      args: [...BROWSER_FLAGS, `--disk-cache-dir=${join(profile, 'cache')}`],
    });
  } catch (error) {
    if (attempt === STARTS) throw error;
    return started(found, profile, attempt + 1);
  }
}

/** Rejects if there is no browser: see findBrowser(). */
export async function openPage(config: Partial<ServerConfig> = {}): Promise<PageUnderTest> {
  const launched = await launchBrowser();
  const { browser } = launched;
  await ensurePage();
  let server = await startServer({ ...SERVER, ...config });
  const contexts: BrowserContext[] = [];
  const complaints: string[] = [];
  return {
    get server() {
      return server;
    },
    complaints,
    async open(address, size = DESK) {
      const context = await browser.newContext({
        viewport: size,
        hasTouch: size === PHONE,
        reducedMotion: 'reduce',
      });
      contexts.push(context);
      context.setDefaultTimeout(PATIENCE_MS);
      const page = await context.newPage();
      page.on('pageerror', (error) => complaints.push(`${page.url()}: ${error.stack}`));
      page.on('console', (message) => {
        const text = message.text();
        if (message.type() === 'error' && !text.includes(PUT_OFF)) {
          complaints.push(`${page.url()}: ${text}`);
        }
      });
      await page.goto(server.url + address);
      return page;
    },
    async closeAll() {
      await Promise.all(contexts.splice(0).map((context) => context.close()));
    },
    async restartServer() {
      const { port } = server;
      await server.stop();
      server = await startServer({ ...SERVER, ...config, port });
    },
    async end() {
      await launched.close();
      await server.stop();
    },
  };
}
