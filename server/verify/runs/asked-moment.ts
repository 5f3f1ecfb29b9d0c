import type { MachineConfig } from '../../machine/machine-config.ts';
import type { Inbound } from '../../machine/remote/inbound.ts';

/** A moment of a lab: behind the first `step` of what it took in. */
export interface AskedMoment {
  readonly config: MachineConfig;
  readonly took: readonly Inbound[];
  readonly step: number;
}
