/** A table of points, looked up in the text of a kernel that runs. */
import { NotReenactable } from './guest-ops.ts';
import { BootedKernel } from './guest-run.ts';
import type { KernelFiles } from './kernel-cache.ts';
import { pointTable } from './points.ts';

export interface PlaceOfPoint {
  readonly at: string;
  /** `NAME+0x12`, or why there is none. */
  readonly place: string;
  readonly found: boolean;
}

/** Throws: RangeError if there is no table for the version. */
export async function placesOf(version: string, files: KernelFiles): Promise<PlaceOfPoint[]> {
  const table = pointTable(version);
  if (table === 'none') throw new RangeError(`there is no table of points for ${version}`);
  const kernel = await BootedKernel.boot(files, 1);
  try {
    return await kernel.run(async (run) => {
      const places: PlaceOfPoint[] = [];
      for (const [at, points] of table.points) {
        for (const point of points) {
          try {
            const address = await run.addressOf(point, at);
            places.push({ at, place: kernel.symbols.nameOf(address), found: true });
          } catch (error) {
            if (!(error instanceof NotReenactable)) throw error;
            places.push({ at, place: error.message, found: false });
          }
        }
      }
      return places;
    });
  } finally {
    kernel.close();
  }
}
