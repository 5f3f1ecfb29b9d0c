/** Which overrides of a patch are called in some execution of a search. */
import type { KernelFunctions } from '../../kernel/kernel.ts';
import type { Patch } from '../../patches/patch.ts';

/** What a patch overrides, and what of it was called. Names as in KernelFunctions. */
export interface OverridesSeen {
  /** With the names that the functions have in the file of the patch. */
  readonly overridden: Map<string, string>;
  readonly called: Set<string>;
}

type AnyFunction = (...args: never[]) => unknown;

/** The same patch; `seen` gets its overrides when a world is built, and of each that is called. */
export function watchOverrides(patch: Patch, seen: OverridesSeen): Patch {
  return {
    ...patch,
    overrides(stock) {
      const overrides = Object.entries(patch.overrides(stock)).map(([name, override]) => {
        const inner = override as AnyFunction;
        seen.overridden.set(name, inner.name);
        const watched: AnyFunction = (...args) => {
          seen.called.add(name);
          return inner(...args);
        };
        return [name, watched];
      });
      return Object.fromEntries(overrides) as Partial<KernelFunctions>;
    },
  };
}
