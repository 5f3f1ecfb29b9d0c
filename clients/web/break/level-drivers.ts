/** The drivers of the levels: what the machine in the page has in the place of every driver that ships. */
import { faithful } from '../../drivers/dmirror/faithful.ts';
import { pageLockUnderDriverLock } from '../../drivers/faulty/page-lock-under-driver-lock.ts';
import type { DriverVariant } from '../../drivers/interface/driver-variant.ts';

export const DRIVERS: ReadonlyMap<string, DriverVariant> = new Map(
  [faithful, pageLockUnderDriverLock].map((driver) => [driver.id, driver]),
);
