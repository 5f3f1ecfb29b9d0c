import { useEffect, useRef, useState } from 'preact/hooks';
import type { ScenarioCheck, ScenarioEntry } from '../../../server/protocol/http-api.ts';
import { sentenceOf, serverApi } from '../server-api.ts';

/** Milliseconds of rest after which what was typed is checked. */
const REST_MS = 300;

/** Lines that stay in sight above the one that is shown. */
const LINES_ABOVE = 6;

/** A scenario that is being written. */
export interface Draft {
  readonly text: string;
  /** What it says, if nothing is wrong with it. */
  readonly scenario: ScenarioEntry | 'wrong';
}

export interface ScenarioEditorProps {
  /** The scenario that ships, to begin with. */
  readonly name: string;
  readonly draft: Draft | 'none';
  readonly onDraft: (draft: Draft | 'none') => void;
}

/** The YAML of a scenario, with what is wrong with it line by line. */
export function ScenarioEditor({ name, draft, onDraft }: ScenarioEditorProps) {
  const area = useRef<HTMLTextAreaElement>(null);
  const [problems, setProblems] = useState<ScenarioCheck['problems']>([]);
  const [trouble, setTrouble] = useState('');
  const text = draft === 'none' ? '' : draft.text;
  // biome-ignore lint/correctness/useExhaustiveDependencies: onDraft is another function at each turn.
  useEffect(() => {
    if (text === '') return;
    let wanted = true;
    const timer = setTimeout(() => {
      serverApi.checkScenario(text).then(
        (check) => {
          if (!wanted) return;
          setProblems(check.problems);
          setTrouble('');
          onDraft({ text, scenario: check.scenario ?? 'wrong' });
        },
        (error: unknown) => {
          if (wanted) setTrouble(sentenceOf(error));
        },
      );
    }, REST_MS);
    return () => {
      wanted = false;
      clearTimeout(timer);
    };
  }, [text]);
  const begin = async () => {
    try {
      const shipped = await serverApi.scenarioText(name);
      onDraft({ text: shipped.text, scenario: 'wrong' });
    } catch (error) {
      setTrouble(sentenceOf(error));
    }
  };
  const show = (line: number) => {
    const from = text
      .split('\n')
      .slice(0, line - 1)
      .reduce((sum, each) => sum + each.length + 1, 0);
    const until = text.indexOf('\n', from);
    const element = area.current;
    if (element === null) return;
    element.focus();
    element.setSelectionRange(from, until < 0 ? text.length : until);
    const lines = text.split('\n').length;
    element.scrollTop = ((line - LINES_ABOVE) / lines) * element.scrollHeight;
  };
  if (draft === 'none') {
    return (
      <>
        <button type="button" onClick={() => begin().catch(() => undefined)}>
          Change this scenario
        </button>
        {trouble === '' ? null : <p className="note alarm">{trouble}</p>}
      </>
    );
  }
  return (
    <div className="stack">
      <label>
        <span className="label">Scenario, in YAML</span>
        <textarea
          ref={area}
          className="mono scenario-text"
          rows={26}
          spellcheck={false}
          value={text}
          onInput={({ currentTarget }) =>
            onDraft({ text: currentTarget.value, scenario: draft.scenario })
          }
        />
      </label>
      {problems.length === 0 ? null : (
        <ul className="scenario-problems" role="alert">
          {problems.map(({ line, column, message }) => (
            <li key={`${line} ${column} ${message}`}>
              <button type="button" onClick={() => show(line)}>
                Line {line}
              </button>{' '}
              {message}
            </li>
          ))}
        </ul>
      )}
      {trouble === '' ? null : <p className="note alarm">{trouble}</p>}
      <button type="button" onClick={() => onDraft('none')}>
        Back to the one that ships
      </button>
    </div>
  );
}
