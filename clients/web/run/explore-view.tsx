import { useState } from 'react';
import type { NewRun, ScenarioEntry } from '../../../server/protocol/http-api.ts';
import { type ChosenKernel, kernelAsked, LinuxVersion } from '../lobby/linux-version.tsx';
import { sentenceOf, serverApi } from '../server-api.ts';
import { useLoaded } from '../shell/loaded.ts';
import { goTo } from '../shell/navigation.ts';
import { TopBar } from '../shell/top-bar.tsx';

const STRATEGIES: readonly (readonly [value: string, text: string])[] = [
  ['dpor', 'every order that matters (dpor)'],
  ['dfs', 'every order (dfs)'],
  ['random', 'orders at random (random)'],
  ['pct', 'few switches, at random (pct)'],
  ['urw', 'uniform over orders (urw)'],
];

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
            events that matters, and answers holds, broken or unknown.
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
  const scenario = scenarios.find((each) => each.name === name);
  const kernels = patches.state === 'there' ? patches.value.patches : [];
  const drivers = Object.keys(scenario?.expect.drivers ?? {});
  const expected = scenario?.expect.patches[patch] ?? 'not said';

  const run = async () => {
    setWork({ state: 'busy', why: '' });
    const asks: NewRun = {
      scenario: name,
      ...kernelAsked(kernel),
      ...(patch === 'stock' ? {} : { patch }),
      ...(driver === '' ? {} : { driver: [driver] }),
      ...(strategy === 'dpor' ? {} : { strategy: strategy as NonNullable<NewRun['strategy']> }),
      ...(Object.keys(parameters).length === 0 ? {} : { parameters }),
    };
    try {
      const { run: started } = await serverApi.startRun(asks);
      goTo({ view: 'run', id: started.id, question: asks, event: 'end' });
    } catch (error) {
      setWork({ state: 'failed', why: sentenceOf(error) });
    }
  };

  return (
    <form
      className="columns"
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
            onChange={({ target }) => {
              setName(target.value);
              setDriver('');
              setParameters({});
            }}
          >
            {scenarios.map((each) => (
              <option key={each.name} value={each.name}>
                {each.name}
              </option>
            ))}
          </select>
        </label>
        <LinuxVersion chosen={kernel} choose={setKernel} otherwise="as written" />
        <label>
          <span className="label">Kernel</span>
          <select value={patch} onChange={({ target }) => setPatch(target.value)}>
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
            <select value={driver} onChange={({ target }) => setDriver(target.value)}>
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
              onChange={({ target }) =>
                setParameters({ ...parameters, [parameter]: Number(target.value) })
              }
            />
          </label>
        ))}
        <label>
          <span className="label">Strategy</span>
          <select value={strategy} onChange={({ target }) => setStrategy(target.value)}>
            {STRATEGIES.map(([value, text]) => (
              <option key={value} value={value}>
                {text}
              </option>
            ))}
          </select>
        </label>
        {work.state === 'failed' ? (
          <p className="note alarm" role="alert">
            {work.why}
          </p>
        ) : null}
        <p>
          <button type="submit" className="primary" disabled={work.state === 'busy' || name === ''}>
            {work.state === 'busy' ? 'Starting' : 'Explore'}
          </button>
        </p>
      </div>
      {scenario === undefined ? null : (
        <div className="stack">
          <h2>{scenario.name}</h2>
          <p className="lead">{scenario.title}</p>
          <p className="quiet">{scenario.provenance}</p>
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
            The scenario expects of <strong>{patch}</strong>: <strong>{expected}</strong>
          </p>
        </div>
      )}
    </form>
  );
}
