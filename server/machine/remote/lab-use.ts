/** How much of a machine its clients use together: what the limits of a lab are about. */
import type { World } from '../world.ts';

export interface LabUse {
  subscriptions(): number;
  /** Of what devices report of their page tables. */
  mirrorEntries(): number;
  /** Chunks of private memory. */
  chunks(): number;
  pinnedPages(): number;
  vmas(): number;
  pageTables(): number;
}

/** `world` is asked when it is needed: it may be there later than its devices. */
export function labUse(world: () => World): LabUse {
  return {
    subscriptions() {
      const { itree, deferred } = world().mm.subscriptions;
      return itree.size + deferred.length;
    },
    mirrorEntries: () => world().oracles.mirrors.entries,
    chunks: () => world().kernel.pgmaps.length,
    pinnedPages() {
      let pages = 0;
      for (const { pins } of world().cpus.values()) {
        for (const { frames } of pins.values()) pages += frames.length;
      }
      return pages;
    },
    vmas() {
      let vmas = 0;
      for (const { vmas: own } of world().kernel.mms.values()) vmas += own.length;
      return vmas;
    },
    pageTables() {
      let tables = 0;
      for (const { table } of world().kernel.mms.values()) tables += table.pages.size;
      return tables;
    },
  };
}
