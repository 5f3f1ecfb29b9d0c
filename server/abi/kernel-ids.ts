/** The kernels that can be chosen, by what they are called; server/kernel/versions says what each is. */
export const KERNEL_IDS = ['6.1', '6.12', 'mainline'] as const;
export type KernelId = (typeof KERNEL_IDS)[number];

/** What a machine runs unless its config says otherwise: also what older recordings ran, which say nothing. */
export const FIRST_KERNEL: KernelId = '6.1';

export function isKernelId(text: string): text is KernelId {
  return KERNEL_IDS.some((id) => id === text);
}
