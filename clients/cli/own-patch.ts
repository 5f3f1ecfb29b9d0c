/** Patches by what the command line calls them: one that ships, or a user's own file, tried before it is used. */
import { resolve } from 'node:path';
import { namesIn } from '../../server/patches/joint-name.ts';
import type { Patch } from '../../server/patches/patch.ts';
import { clashOf } from '../../server/patches/patch-set.ts';
import { isFile, patchesNamed } from '../../server/scenario/explore-request.ts';
import { UsageError } from './failure.ts';

/** Any that ships: it only has to build worlds. */
const TRIED_ON = 'seed-zero-page';

/** None for 'stock'. Throws: BadInput with what is wrong with the name, or with the file. */
export async function patchesFrom(joint: string): Promise<readonly Patch[]> {
  const patches: Patch[] = [];
  for (const name of namesIn(joint)) {
    patches.push(...(isFile(name) ? [await ownPatch(resolve(name))] : await patchesNamed(name)));
  }
  const clash = clashOf(patches);
  if (clash !== 'none') throw new UsageError(`--patch: ${clash}`);
  return patches;
}

/** Tried in a thread first, where it can be ended whatever it does. */
export async function ownPatch(file: string): Promise<Patch> {
  const { askedFrom } = await import('./scenario-choice.ts');
  const { checkInThread } = await import('../../server/verify/explore/workers/check-in-thread.ts');
  const { loadPatch } = await import('../../server/scenario/user-code.ts');
  await checkInThread(askedFrom(TRIED_ON, { patch: file, driver: [] }));
  return await loadPatch(file);
}
