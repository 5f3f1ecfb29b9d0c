import { useState } from 'preact/hooks';
import type {
  Control,
  LabActorEntry,
  LabDetail,
  PatchEntry,
} from '../../../server/protocol/http-api.ts';
import { type ChosenKernel, kernelAsked, LinuxVersion } from '../lobby/linux-version.tsx';
import type { SeenVma } from '../model/vmas.ts';
import { addressOfRoute } from '../route.ts';
import { sentenceOf, serverApi } from '../server-api.ts';
import { CopyButton } from '../shell/copy-button.tsx';
import { keepPresenterToken, presenterToken } from '../shell/memory.ts';
import { goTo } from '../shell/navigation.ts';
import { showToast } from '../shell/toasts.tsx';
import { ActorControls } from './actor-controls.tsx';

export interface ControlsPanelProps {
  readonly detail: LabDetail;
  readonly act: (control: Control) => void;
  readonly patches: readonly PatchEntry[];
  readonly vmas: readonly SeenVma[];
  /** Why this page may not touch anything; empty if it may. */
  readonly barred: string;
  readonly isPresenter: 'presenter' | 'guest';
}

const SPEEDS = [
  { value: 'full', text: 'as fast as it comes' },
  { value: '20', text: '20 steps a second' },
  { value: '5', text: '5 steps a second' },
  { value: '1', text: '1 step a second' },
];
const TASKS_LISTED_MAX = 24;

/** The hand on a lab: pause, step, who goes next, holds, slow and cut clients, the next kernel. */
export function ControlsPanel(props: ControlsPanelProps) {
  const { detail, act, patches, vmas, barred, isPresenter } = props;
  const disabled = barred !== '';
  return (
    <div className="stack">
      {disabled ? <p className="note">{barred}</p> : null}
      <section className="stack" aria-label="Pace">
        <div className="row">
          <button
            type="button"
            className="primary"
            disabled={disabled}
            onClick={() => act({ action: detail.paused ? 'resume' : 'pause' })}
          >
            {detail.paused ? '▶ Resume' : '❚❚ Pause'}
          </button>
          <button
            type="button"
            disabled={disabled || !detail.paused}
            onClick={() => act({ action: 'step' })}
          >
            Step
          </button>
          <label className="small">
            <span className="unseen">Speed</span>
            <select
              value={String(detail.speed)}
              disabled={disabled}
              onChange={({ currentTarget: { value } }) =>
                act({ action: 'speed', stepsPerSecond: value === 'full' ? 'full' : Number(value) })
              }
            >
              {SPEEDS.map(({ value, text }) => (
                <option key={value} value={value}>
                  {text}
                </option>
              ))}
              {SPEEDS.some(({ value }) => value === String(detail.speed)) ? null : (
                <option value={String(detail.speed)}>{detail.speed} steps a second</option>
              )}
            </select>
          </label>
        </div>
      </section>
      <Tasks detail={detail} act={act} disabled={disabled} />
      <section aria-label="Actors">
        <h2>Who takes part</h2>
        {detail.actors.map((actor: LabActorEntry) => (
          <ActorControls key={actor.name} actor={actor} act={act} disabled={disabled} vmas={vmas} />
        ))}
        {detail.actors.length === 0 ? (
          <p className="quiet">No players yet. Join from a phone, a laptop or a terminal.</p>
        ) : null}
      </section>
      <NextKernel detail={detail} act={act} disabled={disabled} patches={patches} />
      <section className="stack" aria-label="Who may drive">
        <h2>Who may drive</h2>
        <div className="row">
          <button
            type="button"
            disabled={isPresenter === 'guest'}
            onClick={() => act({ action: detail.locked ? 'unlock' : 'lock' })}
          >
            {detail.locked ? 'Let everybody drive' : 'Only the presenter'}
          </button>
          <span className="quiet">
            {detail.locked ? 'Only the presenter drives.' : 'Everybody may drive.'}
          </span>
        </div>
        {isPresenter === 'presenter' ? <PresenterTools lab={detail.name} /> : null}
      </section>
    </div>
  );
}

/** For the person who opened the lab: to drive it from another screen, and to end it. */
function PresenterTools({ lab }: { readonly lab: string }) {
  const token = presenterToken(lab);
  const address = addressOfRoute({ view: 'lab', lab, event: 'live', hand: 'on' });
  const close = async () => {
    try {
      await serverApi.closeLab(lab, token);
      keepPresenterToken(lab, '');
      goTo({ view: 'home' });
      showToast(`The lab ${lab} is closed.`);
    } catch (error) {
      showToast(sentenceOf(error));
    }
  };
  return (
    <div className="row small">
      <CopyButton
        text={`${location.origin}${address}#presenter=${token}`}
        label="Copy the presenter's link"
      />
      <button type="button" onClick={() => close().catch(() => undefined)}>
        Close the lab
      </button>
    </div>
  );
}

interface PartProps {
  readonly detail: LabDetail;
  readonly act: (control: Control) => void;
  readonly disabled: boolean;
}

function Tasks({ detail, act, disabled }: PartProps) {
  if (!detail.paused && detail.speed === 'full') return null;
  const { tasks } = detail;
  return (
    <section aria-label="Who goes next">
      <h2>Who goes next</h2>
      {tasks
        .slice(0, TASKS_LISTED_MAX)
        .map(({ id, actor, name, at, ready, waitsFor, holder }, place) => (
          <div className="task" key={id}>
            <kbd>{ready && place < 9 ? place + 1 : '·'}</kbd>
            <span className="at" title={`${actor} ${name} at ${at}`}>
              <strong>{actor}</strong> <code>{at}</code>
              {ready ? null : (
                <span className="quiet">
                  {' '}
                  waits for {waitsFor ?? 'something'}
                  {holder === null ? '' : `, which ${holder} has`}
                </span>
              )}
            </span>
            {ready ? (
              <button
                type="button"
                disabled={disabled || !detail.paused}
                onClick={() => act({ action: 'step', task: id })}
                aria-label={`${actor} goes next: ${at}`}
              >
                Next
              </button>
            ) : (
              <span className="quiet">waits</span>
            )}
          </div>
        ))}
      {tasks.length === 0 ? (
        <p className="quiet">No task is ready: a device or a CPU has to do something.</p>
      ) : null}
    </section>
  );
}

function NextKernel({
  detail,
  act,
  disabled,
  patches,
}: PartProps & { readonly patches: readonly PatchEntry[] }) {
  const [chosen, setChosen] = useState('');
  const [kernel, setKernel] = useState<ChosenKernel>('as asked');
  const patch = chosen === '' ? detail.patch : chosen;
  const summary = patches.find(({ id }) => id === patch)?.summary ?? '';
  return (
    <section className="stack" aria-label="The kernel">
      <h2>The next run's kernel</h2>
      <LinuxVersion
        chosen={kernel}
        choose={setKernel}
        otherwise={`${detail.kernel}, as now`}
        disabled={disabled}
      />
      <label>
        <span className="unseen">Patch for the next run</span>
        <select
          value={patch}
          disabled={disabled}
          onChange={({ currentTarget }) => setChosen(currentTarget.value)}
        >
          {patches.map(({ id }) => (
            <option key={id} value={id}>
              {id}
            </option>
          ))}
        </select>
      </label>
      <p className="quiet" style={{ minHeight: '2.9em' }}>
        {summary}
      </p>
      <div className="row small">
        <button
          type="button"
          disabled={disabled}
          onClick={() => act({ action: 'patch', patch, ...kernelAsked(kernel) })}
        >
          Begin anew with it
        </button>
        <button type="button" disabled={disabled} onClick={() => act({ action: 'restart' })}>
          Begin anew
        </button>
      </div>
    </section>
  );
}
