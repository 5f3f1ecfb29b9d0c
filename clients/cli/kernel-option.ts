import { InvalidArgumentError, Option } from 'commander';
import { isKernelId, KERNEL_IDS, type KernelId } from '../../server/abi/kernel-ids.ts';

/** `--kernel 6.12`: without it, what the scenario says. */
export function kernelOption(purpose = "instead of the scenario's"): Option {
  return new Option('--kernel <version>', `the version of Linux, ${purpose}`).choices(KERNEL_IDS);
}

/** `--kernels all`, `--kernels 6.1,6.12`: each question on each of them. */
export function kernelsOption(): Option {
  return new Option(
    '--kernels <versions>',
    'ask on each of these versions of Linux: all, or some with commas between',
  ).argParser(kernelsIn);
}

function kernelsIn(text: string): readonly KernelId[] {
  if (text === 'all') return KERNEL_IDS;
  return text.split(',').map((id) => {
    if (isKernelId(id)) return id;
    throw new InvalidArgumentError(`there is no kernel "${id}": all, or ${KERNEL_IDS.join(', ')}`);
  });
}
