import { FIRST_KERNEL, type KernelId } from '../../server/abi/kernel-ids.ts';
import type { NewSeedWorld } from '../../server/scenario/seed-race/seed-race.ts';
import type { LiveLab } from './live-lab.ts';

/** The world of the seed race in a live lab: the same clients for every run, under a fresh machine each. */
export function liveSeedWorld(live: LiveLab, kernel: KernelId = FIRST_KERNEL): NewSeedWorld {
  return async (patch) => {
    await live.renew({ kernel, patch });
    const { kept } = live.machine.world.log;
    return {
      perform: (actor, verb) => live.perform(actor, verb),
      hold: (actor, after) => live.hold(actor, after),
      untilHeld: (actor, after) => live.untilHeld(actor, after),
      go: (actor) => live.go(actor),
      events: () => kept,
      // The machine stays for whoever looks at the lab; the next run brings another.
      end: async () => undefined,
    };
  };
}
