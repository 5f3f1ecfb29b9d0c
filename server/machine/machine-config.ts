/** Plain data: it stands in the header of a journal, and the same config makes the same machine. */
export interface MachineConfig {
  /** The id of the patch that the kernel runs with, several joined (`a + b`), or 'stock'. */
  readonly patch: string;
  /** The kernel that the patch is applied to; absent in recordings from before there was a choice: FIRST_KERNEL. */
  readonly kernel?: string;
  /** Slots of swap space, a page each; none unless said. */
  readonly swapSlots?: number;
  /** Pages of system memory; 2^20 unless said. */
  readonly systemPages?: number;
  /** Transparent huge pages; 'never' unless said. */
  readonly thp?: 'always' | 'never';
  /** Entries of one page-table page, a power of two from 2; 512 unless said. */
  readonly ptrsPerPte?: number;
  /** tmpfs files that programs may map; `words` are the first u64 of each page, 0x-hexadecimal. */
  readonly files?: readonly { readonly id: number; readonly words: readonly string[] }[];
}
