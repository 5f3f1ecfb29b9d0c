/**
 * The Chromium of @sparticuz/chromium, unpacked once for each npm ci. It is built for Amazon's Linux and brings the
 * libraries of that: of the system it needs libc and libgcc alone.
 */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const UNPACKER = fileURLToPath(new URL('unpack-browser.ts', import.meta.url));
/** npm ci takes it away with the package that it was unpacked from. */
const CACHE = fileURLToPath(new URL('../../../node_modules/.cache/mmrace', import.meta.url));

export type BrowserEnvironment = Readonly<Record<string, string | undefined>>;

export interface FoundBrowser {
  readonly executablePath: string;
  /** The environment to start it in. */
  readonly environment: BrowserEnvironment;
}

/** The package's own names /tmp/fonts. */
const FONTS_CONF = `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir prefix="relative">fonts</dir>
  <dir>/usr/share/fonts</dir>
  <cachedir prefix="xdg">fontconfig</cachedir>
</fontconfig>
`;

/**
 * Returns: 'none' where the package is not installed (the published mmrace) or was built for another processor.
 *
 * Rejects if it cannot be unpacked: no space, a folder that cannot be written.
 */
export async function bundledBrowser(
  environment: BrowserEnvironment,
): Promise<FoundBrowser | 'none'> {
  if (process.platform !== 'linux' || process.arch !== 'x64') return 'none';
  const folder = join(CACHE, 'chromium');
  if (!existsSync(folder)) {
    if (!isInstalled()) return 'none';
    await unpackInto(folder);
  }
  return {
    executablePath: join(folder, 'chromium'),
    environment: {
      ...environment,
      FONTCONFIG_PATH: join(folder, 'fonts'),
      LD_LIBRARY_PATH: join(folder, 'al2023', 'lib'),
    },
  };
}

function isInstalled(): boolean {
  try {
    import.meta.resolve('@sparticuz/chromium');
    return true;
  } catch {
    return false;
  }
}

/** Test files run at the same time: each unpacks beside, and the first one to be done moves its own into place. */
async function unpackInto(folder: string): Promise<void> {
  mkdirSync(CACHE, { recursive: true });
  const beside = mkdtempSync(`${folder}-`);
  try {
    // It unpacks into the folder for temporary files, and its libraries only where it believes to be at Amazon.
    const env = { ...process.env, TMPDIR: beside, AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs22.x' };
    await promisify(execFile)(process.execPath, [UNPACKER], { env });
    writeFileSync(join(beside, 'fonts', 'fonts.conf'), FONTS_CONF);
    renameSync(beside, folder);
  } catch (error) {
    rmSync(beside, { recursive: true, force: true });
    if (!existsSync(folder)) throw error;
  }
}
