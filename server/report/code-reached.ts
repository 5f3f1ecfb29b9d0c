/** What of a patch or a driver no execution of a search has run: as a value, and in words. */

/** Nothing failed, but what a patch or a driver changes did not run: that says nothing of it. */
export type CodeNotReached = PatchNotReached | DriverNotReached;

export interface PatchNotReached {
  readonly kind: 'patch not reached';
  readonly patch: string;
  /** Kernel functions that it overrides. */
  readonly overridden: readonly string[];
  /** Lines that differ from the kernel and were not reached; empty if no override was called at all. */
  readonly lines: readonly number[];
  /** Where the lines stand, if not in the file of the patch itself. */
  readonly file?: string;
}

export interface DriverNotReached {
  readonly kind: 'driver not reached';
  readonly driver: string;
  /** Its own functions that were not called. */
  readonly functions: readonly string[];
  /** Lines of its own that were not reached. Both are empty if nothing of it has run. */
  readonly lines: readonly number[];
}

/** Code of a driver that has not run, beside enough that has. */
export interface CodeMissed {
  readonly driver: string;
  readonly functions: readonly string[];
  /** By file; the driver's own is called as the driver is. */
  readonly lines: readonly { readonly file: string; readonly numbers: readonly number[] }[];
}

/** `movePageTables, which mine overrides, runs`: goes on with `in none of ...`. */
export function notReachedText(missed: CodeNotReached): string {
  return missed.kind === 'patch not reached' ? patchText(missed) : driverText(missed);
}

function patchText({ patch, overridden, lines, file = patch }: PatchNotReached): string {
  if (lines.length > 0) {
    return `${linesText(lines)} of ${file}, where it differs from the kernel, ${are(lines)} reached`;
  }
  return `${overridden.join(', ')}, which ${patch} overrides, ${run(overridden)}`;
}

function driverText({ driver, functions, lines }: DriverNotReached): string {
  if (lines.length > 0) {
    return `${linesText(lines)} of driver ${driver}, its own, ${are(lines)} reached`;
  }
  if (functions.length === 0) return `driver ${driver} runs`;
  return `${functions.join(', ')}, which driver ${driver} has of its own, ${run(functions)}`;
}

/** `; not run of driver mine: release; lines 7, 9`. */
export function codeMissedText(missed: readonly CodeMissed[]): string {
  return missed
    .map(({ driver, functions, lines }) => {
      const places = lines.map(({ file, numbers }) =>
        file === driver ? linesText(numbers) : `${linesText(numbers)} of ${file}`,
      );
      return `; not run of driver ${driver}: ${[...functions, ...places].join(', ')}`;
    })
    .join('');
}

function linesText(lines: readonly number[]): string {
  return lines.length === 1 ? `line ${lines[0]}` : `lines ${ranges(lines).join(', ')}`;
}

/** `7, 9-12`. */
function ranges(lines: readonly number[]): string[] {
  const found: [number, number][] = [];
  for (const line of lines) {
    const last = found.at(-1);
    if (last !== undefined && line === last[1] + 1) last[1] = line;
    else found.push([line, line]);
  }
  return found.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`));
}

function are(lines: readonly number[]): string {
  return lines.length === 1 ? 'is' : 'are';
}

function run(functions: readonly string[]): string {
  return functions.length === 1 ? 'runs' : 'run';
}
