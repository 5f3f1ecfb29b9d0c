/** Every scenario that ships, with each patch that breaks it. */
import { DRIVER_CHANGE } from '../../../server/realkernel/build-kernel.ts';
import type { Confirmation, Tally } from '../../../server/realkernel/confirm.ts';
import {
  shippedScenario,
  shippedScenarioNames,
} from '../../../server/scenario/shipped-scenarios.ts';
import { UsageError } from '../failure.ts';
import { type Asked, askedSchedules } from './asked-schedules.ts';

export interface Row {
  readonly question: string;
  /** Of the model: what is played. */
  readonly model: string;
  readonly linux: string;
  readonly control: string;
  readonly outcome: Confirmation['outcome'] | 'nothing to play';
}

/** A word and a patch for confirm. */
interface Question {
  readonly word: string;
  readonly patch: string;
}

export function allQuestions(): Question[] {
  return shippedScenarioNames().flatMap((name) => {
    const scenario = shippedScenario(name);
    const expected = scenario === 'none' ? {} : (scenario.expect.patches ?? {});
    const broken = Object.entries(expected).filter(
      ([id, verdict]) => id !== 'stock' && verdict === 'broken',
    );
    return [{ word: name, patch: 'stock' }, ...broken.map(([patch]) => ({ word: name, patch }))];
  });
}

/** One row for each schedule; one with the reason where there is none to play. */
export async function rowsOf(
  { word, patch }: Question,
  on: string,
  play: (asked: Asked) => Promise<Confirmation>,
): Promise<Row[]> {
  let all: readonly Asked[];
  try {
    all = await askedSchedules(word, { patch, on });
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    const question = `${word} (${on}, ${patch})`;
    return [{ question, model: '', linux: '', control: '', outcome: 'nothing to play' }];
  }
  const rows: Row[] = [];
  for (const asked of all) rows.push(rowOf(asked, await play(asked)));
  return rows;
}

function rowOf({ title, says, failure }: Asked, confirmation: Confirmation): Row {
  const model = says === 'fails' ? failure : 'harmless';
  const { outcome } = confirmation;
  if (outcome === 'not re-enactable') {
    return { question: title, model, linux: confirmation.what, control: '', outcome };
  }
  const { schedule, control } = confirmation;
  const cell = outcome === 'not confirmed' ? confirmation.why : tallyCell(schedule);
  return {
    question: title,
    model,
    linux: cell,
    control: control === 'none' ? '' : `${tallyCell(control)} (${control.order})`,
    outcome,
  };
}

function tallyCell({ runs, stale, crashed }: Tally): string {
  const parts = [
    ...(stale > 0 ? [`stale in ${stale}`] : []),
    ...(crashed > 0 ? [`crashed in ${crashed}`] : []),
  ];
  return `${parts.join(', ') || 'clean'} of ${runs}`;
}

/** docs/CONFIRMED.md */
export function confirmedDocument(rows: readonly Row[], release: string): string {
  const count = (outcome: Row['outcome']) => rows.filter((row) => row.outcome === outcome).length;
  const head = [
    '# What a real kernel said',
    '',
    `Written by \`npm run confirm:all\`, on Linux ${release} in QEMU: ${DRIVER_CHANGE}.`,
    'Each schedule of the model was played thread by thread on the kernel, and so was the nearest schedule',
    'that is safe in the model, as the control. *stale*: after it, a device or the CPU reads something else',
    'than was written last.',
    '',
    `${count('confirmed')} confirmed, ${count('not confirmed')} not confirmed, ${count('not re-enactable')} cannot be`,
    `played, ${count('nothing to play')} have no schedule to play.`,
    '',
    '| Question | The model | Linux | Control | |',
    '| --- | --- | --- | --- | --- |',
  ];
  const lines = rows.map(
    ({ question, model, linux, control, outcome }) =>
      `| ${question} | ${cell(model)} | ${cell(linux)} | ${cell(control)} | ${outcome} |`,
  );
  return `${[...head, ...lines].join('\n')}\n`;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
