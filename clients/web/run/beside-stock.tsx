import type { Event } from '../../../server/abi/event.ts';
import type { RunEvents } from '../../../server/protocol/http-api.ts';
import { describeBody } from '../../../server/report/describe-event.ts';
import { shows } from '../../../server/report/shows.ts';
import { byName } from '../memory/columns.ts';
import { applyEvent, emptyModel } from '../model/lab-model.ts';
import { panelLayout } from '../picture/layout.ts';
import { pictureMoment, sweepIn } from '../picture/moment.ts';
import { Picture } from '../picture/picture.tsx';
import { useKeys } from '../shell/keys.ts';
import { lastEventOfStep } from './run-history.ts';
import './beside-stock.css';

export interface BesideStockProps {
  readonly run: RunEvents;
  readonly stock: NonNullable<RunEvents['stock']>;
  /** What has the bug. */
  readonly bug: string;
  /** Behind which both are shown; 0 is where the race begins. */
  readonly step: number;
  readonly onStep: (step: number) => void;
}

/** One order of steps on two kernels, in the numbers of the one that breaks. */
export function BesideStock({ run, stock, bug, step, onStep }: BesideStockProps) {
  const last = run.steps.length;
  const to = (next: number) => onStep(Math.min(last, Math.max(0, next)));
  useKeys([
    { key: 'ArrowLeft', shown: '←', does: 'a step back', run: () => to(step - 1) },
    { key: 'ArrowRight', shown: '→', does: 'a step on', run: () => to(step + 1) },
  ]);
  const page = pageOf(run);
  const racers = devicesIn([...run.setup, ...run.events, ...stock.events]);
  const before = Math.max(0, step - 1);
  const behind = (at: number) => (at === 0 ? 0 : (stock.eventsBehind[at - 1] ?? 0));
  const own = (at: number) => lastEventOfStep(run, at) + 1;
  return (
    <section className="beside" aria-label="Beside the stock kernel">
      <div className="row">
        <button type="button" disabled={step === 0} onClick={() => to(step - 1)}>
          Back
        </button>
        <button
          type="button"
          className="primary"
          disabled={step === last}
          onClick={() => to(step + 1)}
        >
          Step
        </button>
        <span className="quiet">
          One order of steps, one numbering: stock goes as far as the step takes the other.
        </span>
      </div>
      <div className="beside-kernels">
        <Kernel
          title="Stock"
          page={page}
          racers={racers}
          setup={stock.setup}
          events={stock.events.slice(0, behind(step))}
          fresh={stock.events.slice(behind(before), behind(step))}
          failure={step === last ? stock.failure : null}
        />
        <Kernel
          title={`With ${bug}`}
          page={page}
          racers={racers}
          setup={run.setup}
          events={run.events.slice(0, own(step))}
          fresh={run.events.slice(own(before), own(step))}
          failure={step === last ? run.failure : null}
        />
      </div>
      <input
        type="range"
        min={0}
        max={last}
        value={step}
        aria-label="Step of both"
        onInput={({ currentTarget }) => to(Number(currentTarget.value))}
      />
    </section>
  );
}

function pageOf({ events, setup }: RunEvents): number {
  const found =
    events.findLast(({ kind }) => kind === 'violation') ??
    [...events, ...setup].find(({ kind }) => kind === 'pte');
  return found !== undefined && 'page' in found ? found.page : 0;
}

/** Whoever takes part on either kernel. */
function devicesIn(events: readonly Event[]): string[] {
  const names = events.flatMap((event) => ('device' in event ? [event.device] : []));
  return [...new Set(names)].filter((name) => name !== '').sort(byName);
}

interface KernelProps {
  readonly title: string;
  readonly page: number;
  readonly racers: readonly string[];
  readonly setup: readonly Event[];
  readonly events: readonly Event[];
  /** Of the last step. */
  readonly fresh: readonly Event[];
  readonly failure: string | null;
}

function Kernel({ title, page, racers, setup, events, fresh, failure }: KernelProps) {
  const model = emptyModel('stock');
  for (const event of [...setup, ...events]) applyEvent(model, event);
  const cpu = [...model.actors].find(([, { role }]) => role === 'cpu')?.[0] ?? 'cpu0';
  const moment = pictureMoment(model, { page, racers, cpu, cellsMax: 4 });
  const sweep = sweepIn([...fresh], moment);
  const shown = fresh.filter(shows);
  return (
    <section className="kernel" aria-label={title}>
      <h2>{title}</h2>
      <Picture moment={moment} layout={panelLayout(moment)} sweep={sweep} />
      <ul className={failure === null ? '' : 'wrong'}>
        {failure === null ? null : <li>{failure}</li>}
        {shown.map((event) => (
          <li key={event.n}>
            <strong>{event.actor}</strong> {describeBody(event)}
          </li>
        ))}
      </ul>
    </section>
  );
}
