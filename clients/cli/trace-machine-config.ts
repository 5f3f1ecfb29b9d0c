import { filePages } from '../../server/conformance/traces/machine-world.ts';
import { TRACE_FILES } from '../../server/conformance/traces/trace-format.ts';
import type { TraceMachine } from '../../server/conformance/traces/trace-machine.ts';
import type { MachineConfig } from '../../server/machine/machine-config.ts';
import { readU64 } from '../../server/vocabulary/page-contents.ts';

/** A machine of a live lab on which traces are run. */
export function traceMachineConfig(machine: TraceMachine): MachineConfig {
  const files = Array.from({ length: TRACE_FILES }, (_, id) => ({
    id,
    words: filePages(id).map((page) => `0x${readU64(page, 0).toString(16)}`),
  }));
  return { patch: 'stock', ...machine, files };
}
