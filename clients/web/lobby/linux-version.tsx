import { KERNEL_IDS, type KernelId } from '../../../server/abi/kernel-ids.ts';

/** 'as asked': what the scenario or the lab says. */
export type ChosenKernel = KernelId | 'as asked';

/** Which version of Linux runs; `otherwise` is what it is unless one is chosen. */
export function LinuxVersion(props: {
  readonly chosen: ChosenKernel;
  readonly choose: (kernel: ChosenKernel) => void;
  readonly otherwise: string;
  readonly disabled?: boolean;
}) {
  const { chosen, choose, otherwise, disabled = false } = props;
  return (
    <label>
      <span className="label">Linux</span>
      <select
        value={chosen}
        disabled={disabled}
        onChange={({ currentTarget }) =>
          choose(KERNEL_IDS.find((id) => id === currentTarget.value) ?? 'as asked')
        }
      >
        <option value="as asked">{otherwise}</option>
        {KERNEL_IDS.map((id) => (
          <option key={id} value={id}>
            {id}
          </option>
        ))}
      </select>
    </label>
  );
}

/** For a request: nothing unless one was chosen. */
export function kernelAsked(chosen: ChosenKernel): { readonly kernel?: KernelId } {
  return chosen === 'as asked' ? {} : { kernel: chosen };
}
