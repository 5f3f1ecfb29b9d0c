/** Patches and drivers from users' own files. Whatever is wrong with one is said with its file; nothing is guessed. */
import { statSync } from 'node:fs';
import { basename } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { DriverVariant } from '../../clients/drivers/interface/driver-variant.ts';
import { STOCK } from '../kernel/stock.ts';
import type { Patch } from '../patches/patch.ts';
import { suggestion } from '../vocabulary/nearest-word.ts';
import { BadUserCode } from './bad-user-code.ts';
import { guardedDriver, guardedPatch } from './guard-user-code.ts';
import { lineIn, lineNaming, placed } from './source-line.ts';
import { resolveUserImports } from './user-imports.ts';
import { countTurnsOf } from './watched-code.ts';

/**
 * The export `patch` of a file: see docs/SCENARIOS.md. Without an id it is called like the file.
 *
 * Throws: BadUserCode.
 */
export async function loadPatch(file: string): Promise<Patch> {
  const found = await loadExport(file, 'patch');
  const { overrides } = found;
  if (typeof overrides !== 'function') {
    const expected = 'expected patch.overrides, a function that returns kernel functions';
    throw new BadUserCode(`${file}: ${expected}`);
  }
  checkOverrides(file, overridesOf(file, overrides as Patch['overrides']));
  const patch = {
    ...described(file, found),
    overrides: overrides as Patch['overrides'],
    // Looked at by mmrace confirm alone.
    ...(found.onLinux === undefined ? {} : { onLinux: found.onLinux as Patch['onLinux'] }),
  } as Patch;
  return guardedPatch(file, patch);
}

/** The export `driver` of a file. Throws: BadUserCode. */
export async function loadDriver(file: string): Promise<DriverVariant> {
  const found = await loadExport(file, 'driver');
  const { newDevice } = found;
  if (typeof newDevice !== 'function') {
    throw new BadUserCode(`${file}: expected driver.newDevice, a function that makes one device`);
  }
  const driver = { ...described(file, found), newDevice: newDevice as DriverVariant['newDevice'] };
  return guardedDriver(file, driver);
}

interface Exported {
  readonly [name: string]: unknown;
}

async function loadExport(file: string, name: 'patch' | 'driver'): Promise<Exported> {
  if (statSync(file, { throwIfNoEntry: false })?.isFile() !== true) {
    throw new BadUserCode(
      `${file}: there is no such file; give the path of one that exports ${name}`,
    );
  }
  resolveUserImports();
  countTurnsOf(() => 0);
  let exported: Exported;
  try {
    exported = (await import(pathToFileURL(file).href)) as Exported;
  } catch (error) {
    const place = placed(file, lineIn(file, error));
    const remedy = loadingRemedy(file, error);
    throw new BadUserCode(`${place}: cannot be loaded: ${String(error)}${remedy}`, {
      cause: error,
    });
  }
  const found = exported[name];
  if (typeof found === 'object' && found !== null) return found as Exported;
  const names = Object.keys(exported);
  const others = names.length === 0 ? 'it exports nothing' : `it exports ${names.join(', ')}`;
  throw new BadUserCode(`${file}: expected "export const ${name} = { ... }"; ${others}`);
}

function loadingRemedy(file: string, error: unknown): string {
  if (!(error instanceof Error)) return '';
  if ('code' in error && error.code === 'ERR_MODULE_NOT_FOUND') {
    return '; the path in an import begins at the folder of the file that imports; mmrace/kernel/NAME needs none';
  }
  // What a file without import and export would be: the nearest package.json decides that it is one.
  const asCommonJs = /Unexpected token 'export'|Cannot use import statement/.test(error.message);
  const module = basename(file).replace(/\.[cm]?([tj])s$/, '.m$1s');
  return asCommonJs ? `; the package.json above it makes it CommonJS, so call it ${module}` : '';
}

function overridesOf(file: string, overrides: Patch['overrides']): unknown {
  try {
    return overrides({ ...STOCK });
  } catch (error) {
    const place = placed(file, lineIn(file, error));
    throw new BadUserCode(`${place}: patch.overrides throws: ${String(error)}`, { cause: error });
  }
}

function checkOverrides(file: string, overridden: unknown): void {
  if (typeof overridden !== 'object' || overridden === null) {
    throw new BadUserCode(`${file}: patch.overrides returns no object of kernel functions`);
  }
  const entries = Object.entries(overridden);
  if (entries.length === 0)
    throw new BadUserCode(`${file}: the patch overrides no kernel function`);
  for (const [name, value] of entries) {
    const place = placed(file, lineNaming(file, name));
    if (!Object.hasOwn(STOCK, name)) {
      const hint =
        suggestion(name, Object.keys(STOCK)) || '; see KernelFunctions in server/kernel/kernel.ts';
      throw new BadUserCode(`${place}: there is no kernel function "${name}"${hint}`);
    }
    if (typeof value !== 'function') {
      const expected = `expected a generator: *${name}(k, ...) { ... }`;
      throw new BadUserCode(`${place}: ${name} is no function; ${expected}`);
    }
  }
}

function described(
  file: string,
  found: Exported,
): { id: string; provenance: string; summary: string } {
  const text = (name: string, otherwise: string): string => {
    const value = found[name];
    return typeof value === 'string' && value !== '' ? value : otherwise;
  };
  const base = file.split(/[\\/]/).at(-1) ?? file;
  return {
    id: text('id', base.replace(/\.[^.]+$/, '')),
    provenance: text('provenance', base),
    summary: text('summary', 'no summary given'),
  };
}
