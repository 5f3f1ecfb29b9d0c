import { filePages } from '../../server/conformance/traces/machine-world.ts';
import { TRACE_FILES } from '../../server/conformance/traces/trace-format.ts';
import type { MachineConfig } from '../../server/machine/machine-config.ts';
import { readU64 } from '../../server/vocabulary/page-contents.ts';

/** Swap of the recordings of set `swap`; the others had none. */
const SWAP_SLOTS = 1024;

/** The machine on which a trace of this set was recorded. */
export function traceMachineConfig(set: string): MachineConfig {
  const files = Array.from({ length: TRACE_FILES }, (_, id) => ({
    id,
    words: filePages(id).map((page) => `0x${readU64(page, 0).toString(16)}`),
  }));
  // Of the fuzzer's sets one has huge pages; the recordings have none.
  const thp = set === 'huge' ? 'always' : 'never';
  return { patch: 'stock', swapSlots: set === 'swap' ? SWAP_SLOTS : 0, thp, files };
}
