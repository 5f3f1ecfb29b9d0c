import { useState } from 'preact/hooks';
import {
  type NewRun,
  RUN_EXECUTIONS_MAX,
  RUN_PREEMPTIONS_MAX,
  RUN_SECONDS_MAX,
  type ScenarioEntry,
} from '../../../server/protocol/http-api.ts';
import { type ChosenKernel, kernelAsked, LinuxVersion } from '../lobby/linux-version.tsx';
import { FileField } from '../recording/file-field.tsx';
import { handOver } from '../recording/handed-over.ts';
import { sentenceOf, serverApi } from '../server-api.ts';
import { Link } from '../shell/link.tsx';
import { useLoaded } from '../shell/loaded.ts';
import { goTo } from '../shell/navigation.ts';
import { TopBar } from '../shell/top-bar.tsx';
import { PatchChange } from './patch-change.tsx';
import { PatchEditor } from './patch-editor.tsx';
import { type Draft, ScenarioEditor } from './scenario-editor.tsx';
import { ScenarioOptions } from './scenario-options.tsx';
import { TokenField } from './token-field.tsx';

const STRATEGIES: readonly (readonly [value: string, text: string])[] = [
  ['dpor', 'every order that matters (dpor)'],
  ['dfs', 'every order (dfs)'],
  ['random', 'orders at random (random)'],
  ['pct', 'few switches, at random (pct)'],
  ['urw', 'uniform over orders (urw)'],
];

/** In the list of patches, the one that is written in the page. */
const OWN = 'mine';

/** What to explore: a scenario, a kernel, how. */
export function ExploreView({ question }: { readonly question: NewRun | 'none' }) {
  const [scenarios] = useLoaded(serverApi.scenarios);
  return (
    <div className="page">
      <TopBar />
      <main className="content stack" style={{ gap: '1.4rem' }}>
        <div>
          <h1>Is it safe, and if not, what is the shortest way to break it?</h1>
          <p className="lead quiet">
            The explorer runs the same kernel and the same drivers as a live lab, in every order of
            events that matters, and answers holds, broken or unknown.{' '}
            <Link to={{ view: 'matrix' }}>The catalogue of shapes</Link> asks each pair of
            operations; <Link to={{ view: 'campaigns' }}>campaigns</Link> ask many workers.
          </p>
        </div>
        {scenarios.state === 'loading' ? <p className="working quiet">Asking the server</p> : null}
        {scenarios.state === 'failed' ? <p className="note alarm">{scenarios.why}</p> : null}
        {scenarios.state === 'there' ? (
          <ExploreForm scenarios={scenarios.value.scenarios} question={question} />
        ) : null}
      </main>
    </div>
  );
}

interface ExploreFormProps {
  readonly scenarios: readonly ScenarioEntry[];
  readonly question: NewRun | 'none';
}

function ExploreForm({ scenarios, question }: ExploreFormProps) {
  const asked = question === 'none' ? undefined : question;
  const [name, setName] = useState(asked?.scenario ?? scenarios[0]?.name ?? '');
  const [patch, setPatch] = useState(asked?.patch ?? 'stock');
  const [kernel, setKernel] = useState<ChosenKernel>(asked?.kernel ?? 'as asked');
  const [driver, setDriver] = useState(asked?.driver?.[0] ?? '');
  const [strategy, setStrategy] = useState<string>(asked?.strategy ?? 'dpor');
  const [limits, setLimits] = useState<Limits>({
    seed: text(asked?.seed),
    seconds: text(asked?.budgetSeconds),
    executions: text(asked?.budgetExecutions),
    preemptions: text(asked?.preemptions),
  });
  const [parameters, setParameters] = useState<{ readonly [name: string]: number }>(
    asked?.parameters ?? {},
  );
  const [work, setWork] = useState<{
    readonly state: 'rest' | 'busy' | 'failed';
    readonly why: string;
  }>({
    state: 'rest',
    why: '',
  });
  const [patches] = useLoaded(serverApi.patches);
  const [draft, setDraft] = useState<Draft | 'none'>('none');
  const [code, setCode] = useState<string | 'none'>('none');
  const takesCode = patches.state === 'there' && patches.value.ownCode === 'taken';
  const scenario = draft === 'none' ? scenarios.find((each) => each.name === name) : saidBy(draft);
  const kernels = patches.state === 'there' ? patches.value.patches : [];
  const drivers = Object.keys(scenario?.expect.drivers ?? {});

  const start = async (asks: NewRun) => {
    setWork({ state: 'busy', why: '' });
    try {
      const { run: started } = await serverApi.startRun(asks);
      goTo({ view: 'run', id: started.id, question: asks, event: 'end' });
    } catch (error) {
      setWork({ state: 'failed', why: sentenceOf(error) });
    }
  };
  const run = () =>
    start({
      scenario: scenario?.name ?? name,
      ...(draft === 'none' ? {} : { text: draft.text }),
      ...kernelAsked(kernel),
      ...patchAsked(patch, code),
      ...(driver === '' ? {} : { driver: [driver] }),
      ...(strategy === 'dpor' ? {} : { strategy: strategy as NonNullable<NewRun['strategy']> }),
      ...(Object.keys(parameters).length === 0 ? {} : { parameters }),
      ...limitsAsked(limits),
    });

  return (
    <div className="columns">
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          run().catch(() => undefined);
        }}
      >
        <div className="stack card">
          <label>
            <span className="label">Scenario</span>
            <select
              value={name}
              onChange={({ currentTarget }) => {
                setName(currentTarget.value);
                setDriver('');
                setDraft('none');
                setParameters({});
              }}
            >
              <ScenarioOptions scenarios={scenarios} />
            </select>
          </label>
          <LinuxVersion chosen={kernel} choose={setKernel} otherwise="as written" />
          <label>
            <span className="label">Kernel</span>
            <select
              value={code === 'none' ? patch : OWN}
              disabled={code !== 'none'}
              onChange={({ currentTarget }) => setPatch(currentTarget.value)}
            >
              {code === 'none' ? null : <option value={OWN}>the one that is written here</option>}
              {kernels.length === 0 ? <option value="stock">stock</option> : null}
              {kernels.map(({ id }) => (
                <option key={id} value={id}>
                  {id}
                </option>
              ))}
            </select>
          </label>
          {drivers.length === 0 ? null : (
            <label>
              <span className="label">Driver of the devices</span>
              <select
                value={driver}
                onChange={({ currentTarget }) => setDriver(currentTarget.value)}
              >
                <option value="">as the scenario has it</option>
                {drivers.map((each) => (
                  <option key={each} value={each}>
                    {each}
                  </option>
                ))}
              </select>
            </label>
          )}
          {Object.entries(scenario?.parameters ?? {}).map(([parameter, usual]) => (
            <label key={parameter}>
              <span className="label">{parameter}</span>
              <input
                type="number"
                min={1}
                max={16}
                value={parameters[parameter] ?? usual}
                onInput={({ currentTarget }) =>
                  setParameters({ ...parameters, [parameter]: Number(currentTarget.value) })
                }
              />
            </label>
          ))}
          <label>
            <span className="label">Strategy</span>
            <select
              value={strategy}
              onChange={({ currentTarget }) => setStrategy(currentTarget.value)}
            >
              {STRATEGIES.map(([value, text]) => (
                <option key={value} value={value}>
                  {text}
                </option>
              ))}
            </select>
          </label>
          <LimitFields limits={limits} onLimits={setLimits} />
          {work.state === 'failed' ? (
            <p className="note alarm" role="alert">
              {work.why}
            </p>
          ) : null}
          <p>
            <button
              type="submit"
              className="primary"
              disabled={work.state === 'busy' || scenario === undefined}
            >
              {work.state === 'busy' ? 'Starting' : 'Explore'}
            </button>
          </p>
        </div>
      </form>
      <div className="stack">
        <TokenField onQuestion={(asked) => start(asked).catch(() => undefined)} />
        <FileField
          onText={(given) => {
            handOver(given);
            goTo({ view: 'recording' });
          }}
        />
        {patch === 'stock' || code !== 'none' ? null : <PatchChange id={patch} />}
        {takesCode ? <PatchEditor code={code} onCode={setCode} /> : null}
        <ScenarioEditor name={name} draft={draft} onDraft={setDraft} />
        {scenario === undefined ? null : <ScenarioText scenario={scenario} patch={patch} />}
      </div>
    </div>
  );
}

/** What the chosen scenario is about, who does what in it, and what it expects. */
function ScenarioText({
  scenario,
  patch,
}: {
  readonly scenario: ScenarioEntry;
  readonly patch: string;
}) {
  return (
    <div className="stack">
      <h2>{scenario.name}</h2>
      <p className="lead">{scenario.title}</p>
      {scenario.story === undefined ? null : <p>{scenario.story}</p>}
      <p className="quiet">{scenario.provenance}</p>
      {scenario.affects === undefined ? null : <p className="quiet">Kernels: {scenario.affects}</p>}
      {scenario.actors.map(({ name: actor, kind, program }) => (
        <div key={actor}>
          <h3>
            {kind === 'cpu' ? '▢' : '○'} {actor}
          </h3>
          <ol className="mono quiet">
            {program.map((line, at) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: the same step may come twice, and none moves.
              <li key={at}>{line}</li>
            ))}
          </ol>
        </div>
      ))}
      <p>
        The scenario expects of <strong>{patch}</strong>:{' '}
        <strong>{scenario.expect.patches[patch] ?? 'not said'}</strong>
      </p>
    </div>
  );
}

function patchAsked(patch: string, code: string | 'none'): Pick<NewRun, 'patch' | 'code'> {
  if (code !== 'none') return { code };
  return patch === 'stock' ? {} : { patch };
}

function saidBy({ scenario }: Draft): ScenarioEntry | undefined {
  return scenario === 'wrong' ? undefined : scenario;
}

/** As typed; empty: as usual. */
interface Limits {
  readonly seed: string;
  readonly seconds: string;
  readonly executions: string;
  readonly preemptions: string;
}

const LIMITS: readonly (readonly [field: keyof Limits, label: string, max: number])[] = [
  ['seed', 'Seed, of orders at random', 2 ** 31 - 1],
  ['seconds', 'Seconds at most', RUN_SECONDS_MAX],
  ['executions', 'Executions at most', RUN_EXECUTIONS_MAX],
  ['preemptions', 'Preemptions at most, in one execution', RUN_PREEMPTIONS_MAX],
];

interface LimitFieldsProps {
  readonly limits: Limits;
  readonly onLimits: (limits: Limits) => void;
}

function LimitFields({ limits, onLimits }: LimitFieldsProps) {
  return LIMITS.map(([field, label, max]) => (
    <label key={field}>
      <span className="label">{label}</span>
      <input
        type="number"
        min={field === 'seed' || field === 'preemptions' ? 0 : 1}
        max={max}
        placeholder="as usual"
        value={limits[field]}
        onInput={({ currentTarget }) => onLimits({ ...limits, [field]: currentTarget.value })}
      />
    </label>
  ));
}

function limitsAsked({ seed, seconds, executions, preemptions }: Limits): Partial<NewRun> {
  return {
    ...(seed === '' ? {} : { seed: Number(seed) }),
    ...(seconds === '' ? {} : { budgetSeconds: Number(seconds) }),
    ...(executions === '' ? {} : { budgetExecutions: Number(executions) }),
    ...(preemptions === '' ? {} : { preemptions: Number(preemptions) }),
  };
}

function text(value: number | undefined): string {
  return value === undefined ? '' : String(value);
}
