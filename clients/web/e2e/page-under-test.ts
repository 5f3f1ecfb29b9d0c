/** A server of its own with the built page, and a browser that looks at it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { DEFAULT_CONFIG, type ServerConfig } from '../../../server/app/config.ts';
import { type RunningServer, startServer } from '../../../server/app/start-server.ts';
import { ensurePage } from '../build/ensure-page.ts';
import { findBrowser, NO_BROWSER } from './find-browser.ts';

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

/** Milliseconds that a window gets for one action: far more than it takes, far less than a test may. */
const ACTION_MS = 10_000;

const SERVER: ServerConfig = {
  ...DEFAULT_CONFIG,
  host: '127.0.0.1',
  port: 0,
  logLevel: 'fatal',
  drainMs: 100,
};

export interface Size {
  readonly width: number;
  readonly height: number;
}

export const DESK: Size = { width: 1_440, height: 900 };
export const PHONE: Size = { width: 390, height: 844 };
export const PROJECTOR: Size = { width: 1_920, height: 1_080 };

export interface PageUnderTest {
  readonly server: RunningServer;
  /** A window of its own: it shares nothing with the others but the server. */
  open(address: string, size?: Size): Promise<Page>;
  /** What went wrong in any of the windows so far: scripts that threw, and what the console calls an error. */
  readonly complaints: readonly string[];
  /** Ends the server and starts another one on the same port. */
  restartServer(): Promise<void>;
  end(): Promise<void>;
}

export interface LaunchedBrowser {
  readonly browser: Browser;
  close(): Promise<void>;
}

/** With a profile of its own that is gone afterwards. Rejects if there is no browser: see findBrowser(). */
export async function launchBrowser(): Promise<LaunchedBrowser> {
  const found = await findBrowser();
  if (found === 'none') throw new Error(NO_BROWSER);
  const profile = mkdtempSync(join(tmpdir(), 'mmrace-browser-'));
  const browser = await chromium.launch({
    executablePath: found.executablePath,
    env: { ...found.environment },
    args: [...BROWSER_FLAGS, `--disk-cache-dir=${join(profile, 'cache')}`],
  });
  return {
    browser,
    async close() {
      await browser.close();
      rmSync(profile, { recursive: true, force: true });
    },
  };
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
      const context = await browser.newContext({ viewport: size, hasTouch: size === PHONE });
      contexts.push(context);
      context.setDefaultTimeout(ACTION_MS);
      const page = await context.newPage();
      page.on('pageerror', (error) => complaints.push(`${page.url()}: ${error.stack}`));
      page.on('console', (message) => {
        if (message.type() === 'error') complaints.push(`${page.url()}: ${message.text()}`);
      });
      await page.goto(server.url + address);
      return page;
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
