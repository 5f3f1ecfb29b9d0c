import { useState } from 'preact/hooks';
import type { NewLab, ScenarioEntry } from '../../../server/protocol/http-api.ts';
import { ScenarioOptions } from '../run/scenario-options.tsx';
import { sentenceOf, serverApi } from '../server-api.ts';
import { useLoaded } from '../shell/loaded.ts';
import { type ChosenKernel, kernelAsked, LinuxVersion } from './linux-version.tsx';
import { openRoom } from './open-room.ts';

const EMPTY = '';
const STOCK = 'stock';

/** A new lab, empty or from a scenario. The person who opens it presents it: the others watch until it is unlocked. */
export function NewLabForm() {
  const [scenarios] = useLoaded(serverApi.scenarios);
  const [patches] = useLoaded(serverApi.patches);
  const [scenario, setScenario] = useState(EMPTY);
  const [patch, setPatch] = useState(STOCK);
  const [kernel, setKernel] = useState<ChosenKernel>('as asked');
  const [name, setName] = useState('');
  const [work, setWork] = useState<{
    readonly state: 'rest' | 'busy' | 'failed';
    readonly why: string;
  }>({
    state: 'rest',
    why: '',
  });
  const known = scenarios.state === 'there' ? scenarios.value.scenarios : [];
  const chosen = known.find((each) => each.name === scenario);
  const kernels = patches.state === 'there' ? patches.value.patches : [];
  const summary = kernels.find(({ id }) => id === patch)?.summary ?? '';

  const open = async () => {
    setWork({ state: 'busy', why: '' });
    const lab: NewLab = {
      ...(name.trim() === '' ? {} : { name: name.trim() }),
      ...(scenario === EMPTY ? {} : { scenario }),
      ...kernelAsked(kernel),
      ...(patch === STOCK ? {} : { patch }),
    };
    try {
      await openRoom(lab);
    } catch (error) {
      setWork({ state: 'failed', why: sentenceOf(error) });
    }
  };

  return (
    <form
      className="stack card"
      onSubmit={(event) => {
        event.preventDefault();
        open().catch(() => undefined);
      }}
    >
      <h2>A new lab</h2>
      <label>
        <span className="label">Begin with</span>
        <select
          id="new-lab"
          value={scenario}
          onChange={({ currentTarget }) => {
            setScenario(currentTarget.value);
            setPatch(suggestedPatch(known, currentTarget.value));
          }}
        >
          <option value={EMPTY}>an empty address space</option>
          <ScenarioOptions scenarios={known} />
        </select>
      </label>
      <p className="quiet" style={{ minHeight: '2.9em' }}>
        {chosen?.title ?? 'Nothing is mapped; a CPU thread that joins maps what it wants.'}
      </p>
      <LinuxVersion chosen={kernel} choose={setKernel} otherwise="as written" />
      <label>
        <span className="label">Kernel</span>
        <select value={patch} onChange={({ currentTarget }) => setPatch(currentTarget.value)}>
          {kernels.length === 0 ? <option value={STOCK}>stock</option> : null}
          {kernels.map(({ id }) => (
            <option key={id} value={id}>
              {id}
            </option>
          ))}
        </select>
      </label>
      <p className="quiet" style={{ minHeight: '2.9em' }}>
        {summary}
      </p>
      <label>
        <span className="label">Name, if it should have one</span>
        <input
          value={name}
          maxLength={64}
          onInput={({ currentTarget }) => setName(currentTarget.value)}
        />
      </label>
      {work.state === 'failed' ? (
        <p className="note alarm" role="alert">
          {work.why}
        </p>
      ) : null}
      <p>
        <button type="submit" className="primary" disabled={work.state === 'busy'}>
          {work.state === 'busy' ? 'Opening' : 'Open the lab'}
        </button>
      </p>
    </form>
  );
}

/** The kernel that the scenario is about: the first one that breaks it. */
function suggestedPatch(scenarios: readonly ScenarioEntry[], name: string): string {
  const scenario = scenarios.find((each) => each.name === name);
  const broken = Object.entries(scenario?.expect.patches ?? {}).find(
    ([, verdict]) => verdict === 'broken',
  );
  return broken?.[0] ?? STOCK;
}
