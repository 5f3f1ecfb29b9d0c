/** `mmrace replay RECORDING`: a recorded lab, executed again without network, devices or CPUs. */
import { fileURLToPath } from 'node:url';
import type { Event } from '../../server/abi/event.ts';
import { FIRST_KERNEL } from '../../server/abi/kernel-ids.ts';
import { modelOf } from '../../server/app/start-server.ts';
import { type Replayed, replay } from '../../server/journal/replay.ts';
import { newLiveMachine } from '../../server/live/new-live-machine.ts';
import { UnknownPatch } from '../../server/machine/remote/live-machine.ts';
import type { FormatName } from '../../server/report/format-names.ts';
import { FORMATS } from '../../server/report/formats.ts';
import { metaOfRecording } from '../../server/verify/answer/recording-meta.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import type { RecordedLab } from './explore/read-recorded.ts';
import { UsageError } from './failure.ts';

export type LabAgain = Exclude<Replayed, { readonly outcome: 'other-model' }>;

/**
 * However long it is: what is kept of it is up to `onEvent`.
 *
 * Throws: UsageError if another model, or one with another patch, has recorded it, or something in it is wrong.
 */
export function replayLab(lab: RecordedLab, onEvent: (event: Event) => void): LabAgain {
  const { file } = lab;
  const server = fileURLToPath(new URL('../../server', import.meta.url));
  const options = { newMachine: newLiveMachine, model: modelOf(server), onEvent };
  try {
    const replayed = replay(lab.open(), options);
    if (replayed.outcome !== 'other-model') return replayed;
    throw new UsageError(
      `${file}: recorded by another model (${replayed.expected}; this is ${replayed.actual}): ` +
        'check out the version that recorded it',
    );
  } catch (error) {
    if (error instanceof UnknownPatch) throw new UsageError(error.message, { cause: error });
    throw error;
  }
}

export function sentenceOfLab({ file }: RecordedLab, replayed: LabAgain): string {
  switch (replayed.outcome) {
    case 'identical': {
      const { entries, events, digest, state, closed } = replayed;
      const end = closed ? 'as recorded' : 'the recording has no end';
      return (
        `${file}: identical: ${entries} entries, ${events} events (log ${digest}), ` +
        `final state ${state} (${end})`
      );
    }
    case 'diverged': {
      const { n, line, what, expected, actual } = replayed;
      return `${file}:${line}: diverged at entry ${n}: ${what}: recorded ${expected}, now ${actual}`;
    }
    case 'threw': {
      const { n, line, recorded } = replayed;
      const then = recorded === 'ended here' ? 'the recording ends there, too' : 'it went on then';
      return `${file}:${line}: the machine threw at entry ${n} (${then}): ${messageOf(replayed.error)}`;
    }
  }
}

/** A recording that ends in the same bug has been reproduced. */
export function exitOfLab(replayed: LabAgain): ExitCode {
  switch (replayed.outcome) {
    case 'identical':
      return EXIT.OK;
    case 'diverged':
      return EXIT.BROKEN;
    case 'threw':
      return replayed.recorded === 'ended here' ? EXIT.OK : EXIT.BROKEN;
  }
}

export function plainLab({ file }: RecordedLab, replayed: LabAgain): object {
  if (replayed.outcome !== 'threw') return { file, ...replayed };
  return { file, ...replayed, error: messageOf(replayed.error) };
}

export function reportOfLab(
  { file, header }: RecordedLab,
  replayed: LabAgain,
  events: readonly Event[],
  format: FormatName,
): string {
  const { lab, config } = header;
  const meta = metaOfRecording(events, {
    lab,
    kernel: config.kernel ?? FIRST_KERNEL,
    patch: config.patch,
    entries: replayed.outcome === 'identical' ? replayed.entries : replayed.n,
    reproduce: `npx mmrace replay ${file}`,
  });
  return FORMATS[format].render(events, meta);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
