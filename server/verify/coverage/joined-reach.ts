/** What ran in any of several threads that searched the same. */
import type { DriverReach } from './driver-reach.ts';
import type { OwnLines } from './own-files.ts';
import type { PatchReach, Reach } from './reach.ts';

export function joinedReach(all: readonly Reach[]): Reach {
  return {
    functions: [...new Set(all.flatMap(({ functions }) => functions))].sort(),
    patches: grouped(
      all.flatMap(({ patches }) => patches),
      ({ patch }) => patch,
    ).map(joinedPatch),
    drivers: grouped(
      all.flatMap(({ drivers }) => drivers),
      ({ driver }) => driver,
    ).map(joinedDriver),
  };
}

function joinedPatch(all: readonly [PatchReach, ...PatchReach[]]): PatchReach {
  const lines = all.flatMap((one) => one.lines ?? []);
  return {
    ...all[0],
    overridden: [...new Set(all.flatMap(({ overridden }) => overridden))].sort(),
    called: [...new Set(all.flatMap(({ called }) => called))].sort(),
    ...(all.every((one) => one.lines === undefined) ? {} : { lines: joinedLines(lines) }),
  };
}

function joinedDriver(all: readonly [DriverReach, ...DriverReach[]]): DriverReach {
  return {
    ...all[0],
    idle: all[0].idle.filter((name) => all.every(({ idle }) => idle.includes(name))),
    lines: joinedLines(all.flatMap(({ lines }) => lines)),
    ran: all.some(({ ran }) => ran),
  };
}

/** A line is missed if no thread has reached it; of a function that one has not called it may know no line. */
function joinedLines(all: readonly OwnLines[]): OwnLines[] {
  return grouped(all, ({ file }) => file).map((ofFile) => {
    const lines = new Set(ofFile.flatMap((one) => one.all));
    const reached = new Set(
      ofFile.flatMap((one) => one.all.filter((line) => !one.missed.includes(line))),
    );
    return {
      ...ofFile[0],
      all: [...lines].sort((a, b) => a - b),
      missed: [...lines.difference(reached)].sort((a, b) => a - b),
    };
  });
}

/** In the order in which they came first. */
function grouped<T>(all: readonly T[], nameOf: (one: T) => string): [T, ...T[]][] {
  return [...Map.groupBy(all, nameOf).values()] as [T, ...T[]][];
}
