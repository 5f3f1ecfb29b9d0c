/**
 * The kernels to choose from. There is one text, which is 6.1's; a later kernel is that text with a list of changes,
 * each a set of overrides as a patch is. No function asks which kernel it is part of.
 *
 * A further version is a folder with a file for each change, and an entry here.
 */
import { KERNEL_IDS, type KernelId } from '../../abi/kernel-ids.ts';
import type { KernelFunctions } from '../kernel.ts';
import { STOCK } from '../stock.ts';
import type { KernelVersion } from './kernel-version.ts';
import { LINUX_6_12 } from './linux-6.12/linux-6.12.ts';
import { MAINLINE } from './mainline/mainline.ts';

export const KERNELS: { readonly [Id in KernelId]: KernelVersion } = {
  '6.1': {
    id: '6.1',
    source: '6.1.192',
    recorded: 'recorded',
    base: 'none',
    changes: [],
  },
  '6.12': LINUX_6_12,
  mainline: MAINLINE,
};

/** Each kernel's functions, made once: a world is built for each execution. */
const FUNCTIONS: ReadonlyMap<string, KernelFunctions> = functionsById();

/** The functions of a kernel without patches. */
export function kernelFunctions(id: KernelId): KernelFunctions {
  return FUNCTIONS.get(id) ?? STOCK;
}

function functionsById(): Map<string, KernelFunctions> {
  const made = new Map<string, KernelFunctions>();
  for (const id of KERNEL_IDS) {
    const { base, changes } = KERNELS[id];
    const functions = { ...(made.get(base) ?? STOCK) };
    for (const { overrides } of changes) Object.assign(functions, overrides({ ...functions }));
    made.set(id, functions);
  }
  return made;
}
