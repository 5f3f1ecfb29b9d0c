/** The kernels that can be chosen, by what they are called; server/kernel/versions says what each is. */
export const KERNEL_IDS = ['6.1', '6.12', 'mainline'] as const;
export type KernelId = (typeof KERNEL_IDS)[number];

/** What a scenario, a lab or a question runs that names none. */
export const DEFAULT_KERNEL: KernelId = '6.12';

/** What a file ran that names none: recordings and counterexamples from before there was a choice. */
export const FIRST_KERNEL: KernelId = '6.1';

export function isKernelId(text: string): text is KernelId {
  return KERNEL_IDS.some((id) => id === text);
}
