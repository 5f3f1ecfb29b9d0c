/** Several patches at once: by their joint name, and whether they go together. */
import { STOCK } from '../kernel/stock.ts';
import { namesIn } from './joint-name.ts';
import type { Patch } from './patch.ts';
import { PATCHES } from './patches.ts';

/** The patches of a joint name out of `known`, by id. Returns: the first unknown name. */
export function patchesIn(
  joint: string,
  known: ReadonlyMap<string, Patch> = PATCHES,
): readonly Patch[] | { readonly unknown: string } {
  const names = namesIn(joint);
  const missing = names.find((name) => !known.has(name));
  if (missing !== undefined) return { unknown: missing };
  return names.map((name) => known.get(name) as Patch);
}

/** Why `patches` cannot be applied together: two of them override one kernel function. 'none' if they can. */
export function clashOf(patches: readonly Patch[]): string | 'none' {
  if (patches.length < 2) return 'none';
  const owners = new Map<string, string>();
  for (const { id, overrides } of patches) {
    for (const name of Object.keys(overrides({ ...STOCK }))) {
      const owner = owners.get(name);
      if (owner !== undefined)
        return `EINVAL: the patches ${owner} and ${id} both override ${name}(): leave one out, or merge them`;
      owners.set(name, id);
    }
  }
  return 'none';
}
