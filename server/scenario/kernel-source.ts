/** The text of a kernel function, to begin a patch of one's own with: it runs as it stands, and can then be changed. */
import { readFileSync } from 'node:fs';
import { dirname, extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { KernelId } from '../abi/kernel-ids.ts';
import type { KernelFunctions } from '../kernel/kernel.ts';
import { STOCK } from '../kernel/stock.ts';
import { kernelFunctions } from '../kernel/versions/kernels.ts';
import { API_FOLDERS } from './user-imports.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const ENDING = extname(import.meta.url);
const KERNEL = 'server/kernel';

export function functionNames(): string[] {
  return Object.keys(STOCK).sort();
}

/** 'unknown' for what is no function of the kernel. */
export function patchToBeginWith(name: string, kernel: KernelId): string | 'unknown' {
  if (!Object.hasOwn(STOCK, name)) return 'unknown';
  const key = name as keyof KernelFunctions;
  // What a later kernel has changed stands between others of that kernel: to build upon, it is enough.
  return kernelFunctions(kernel)[key] === STOCK[key] ? wholeModule(name) : wrapper(key);
}

/** The module of the function with all that it needs, and the function as a patch. */
function wholeModule(name: string): string {
  const stock = readFileSync(join(ROOT, KERNEL, `stock${ENDING}`), 'utf8');
  const imported = [...stock.matchAll(/import \{([^}]*)\} from '(\.[^']+)';/g)].find(([, names]) =>
    (names ?? '').split(',').some((one) => one.trim() === name),
  );
  const path = imported?.[2];
  if (path === undefined) return wrapper(name as keyof KernelFunctions);
  const module = normalize(join(KERNEL, path));
  const text = readFileSync(join(ROOT, module), 'utf8');
  return `${withApiNames(text, dirname(module))}
export const patch = {
  id: 'mine',
  summary: 'what it changes',
  overrides: () => ({ ${name} }),
};
`;
}

/** `./x.ts` of a folder is `mmrace/kernel/x`: what is imported is found wherever the patch is. */
function withApiNames(text: string, folder: string): string {
  return text.replaceAll(/ from '(\.[^']+)\.[jt]s';/g, (whole, path: string) => {
    const target = normalize(join(folder, path));
    const api = Object.entries(API_FOLDERS).find(([, of]) => target.startsWith(`${of}/`));
    return api === undefined
      ? whole
      : ` from 'mmrace/${api[0]}/${target.slice(api[1].length + 1)}';`;
  });
}

function wrapper(name: keyof KernelFunctions): string {
  const isTask = STOCK[name].constructor.name === 'GeneratorFunction';
  const call = `stock.${name}(...args)`;
  return `export const patch = {
  id: 'mine',
  summary: 'what it changes',
  overrides: (stock) => ({
    ${isTask ? '*' : ''}${name}(...args) {
      return ${isTask ? 'yield* ' : ''}${call};
    },
  }),
};
`;
}
