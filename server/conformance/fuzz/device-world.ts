/** A world with two dmirror devices and the files of the golden traces, for questions that take several actors. */
import {
  newCorrectedDmirror,
  performCorrectedVerb,
} from '../../../clients/drivers/dmirror/corrected-dmirror.ts';
import {
  dmirrorDriver,
  dmirrorOpen,
  newDmirror,
} from '../../../clients/drivers/dmirror/dmirror.ts';
import type { Dmirror } from '../../../clients/drivers/dmirror/dmirror-state.ts';
import {
  type DmirrorResult,
  type DmirrorVerb,
  performVerb,
} from '../../../clients/drivers/dmirror/dmirror-verb.ts';
import type { DeviceApi, DeviceDriver } from '../../abi/device-api.ts';
import { createFile } from '../../kernel/syscalls/create-file.ts';
import { deviceOf, newWorld, runTask, type World, type WorldOptions } from '../../machine/world.ts';
import type { TaskContext } from '../../task/context.ts';
import type { Task } from '../../task/task.ts';
import { filePages } from '../traces/machine-world.ts';
import { TRACE_DEVICES, TRACE_FILES } from '../traces/trace-format.ts';

/** A driver as the lab uses it: opened once, called back by the kernel, asked by programs. */
export interface LabDriver {
  readonly callbacks: DeviceDriver;
  open(): Task<{ readonly ok: boolean }>;
  perform(verb: DmirrorVerb): Task<DmirrorResult>;
}

export interface LabDriverOptions {
  readonly api: DeviceApi;
  readonly context: TaskContext;
  readonly deviceNumber: number;
  /** Private frames of one chunk. */
  readonly memoryPages: number;
}

export type NewLabDriver = (options: LabDriverOptions) => LabDriver;

export interface FuzzWorld {
  readonly world: World;
  readonly devices: readonly LabDriver[];
}

/** dmirror as lib/test_hmm.c has it. */
export function faithfulDriver(options: LabDriverOptions): LabDriver {
  const dmirror: Dmirror = newDmirror(options);
  return {
    callbacks: dmirrorDriver(dmirror),
    open: () => dmirrorOpen(dmirror),
    perform: (verb) => performVerb(dmirror, verb),
  };
}

/** dmirror without its races. */
export function correctedDriver(options: LabDriverOptions): LabDriver {
  const corrected = newCorrectedDmirror(options);
  return {
    callbacks: corrected.callbacks,
    open: () => dmirrorOpen(corrected.dmirror),
    perform: (verb) => performCorrectedVerb(corrected, verb),
  };
}

export const FUZZ_DRIVERS = { faithful: faithfulDriver, corrected: correctedDriver } as const;
export type DriverName = keyof typeof FUZZ_DRIVERS;

export interface DeviceWorldOptions extends WorldOptions {
  readonly newDriver: NewLabDriver;
  /** Private frames of one chunk of each device. */
  readonly chunkPages: number;
}

/** Throws an Error if a device cannot be opened: the world is too small. */
export function newDeviceWorld(options: DeviceWorldOptions): FuzzWorld {
  const { newDriver, chunkPages: memoryPages } = options;
  const world = newWorld(options);
  for (let file = 0; file < TRACE_FILES; file += 1) createFile(world.kernel, file, filePages(file));
  const devices: LabDriver[] = [];
  for (let deviceNumber = 0; deviceNumber < TRACE_DEVICES; deviceNumber += 1) {
    const owner = `dev${deviceNumber}`;
    const api = deviceOf(world, owner, () => driver.callbacks);
    const driver: LabDriver = newDriver({
      api,
      context: world.context,
      deviceNumber,
      memoryPages,
    });
    const opened = runTask(world, owner, 'open', driver.open());
    if (opened.kind === 'stuck' || !opened.value.ok) throw new Error(`${owner} cannot be opened`);
    devices.push(driver);
  }
  return { world, devices };
}
