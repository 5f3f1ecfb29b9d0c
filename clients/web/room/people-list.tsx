import { useState } from 'preact/hooks';
import {
  type Control,
  LABEL_CHARS_MAX,
  type LabActorEntry,
} from '../../../server/protocol/http-api.ts';
import { byName } from '../memory/columns.ts';
import { HoldButton } from './hold-button.tsx';
import type { Room } from './use-room.ts';

export interface PeopleListProps {
  readonly room: Room;
  readonly act: (control: Control) => void;
}

/** Who is here, who is silent, and who plays what. */
export function PeopleList({ room, act }: PeopleListProps) {
  const { detail, sheet, cast } = room;
  if (detail === 'unknown') return null;
  const devices = detail.actors.filter(({ role }) => role === 'device').length;
  const cpus = detail.actors.length - devices;
  const roleOf = (name: string) => [...cast].find(([, actor]) => actor === name)?.[0] ?? '';
  return (
    <>
      <h2>
        Here: {devices} {devices === 1 ? 'device' : 'devices'}, {cpus} CPU
      </h2>
      <ul className="people-list">
        {detail.actors
          .toSorted((a, b) => byName(a.name, b.name))
          .map((actor) => ({ actor, ...actor }))
          .map(({ actor, name, role, state }) => (
            <li key={name} className={state} data-person={name}>
              <strong>{room.called(name)}</strong>
              <span className="quiet">{standing(actor)}</span>
              {sheet === 'none' || role === 'cpu' ? null : (
                <select
                  aria-label={`Role of ${name}`}
                  value={roleOf(name)}
                  onChange={({ currentTarget }) => {
                    if (currentTarget.value !== '')
                      act({ action: 'cast', role: currentTarget.value, actor: name });
                  }}
                >
                  <option value="">watches</option>
                  {sheet.cast.map((each) => (
                    <option key={each.role} value={each.role}>
                      {each.role}
                    </option>
                  ))}
                </select>
              )}
              <details className="person-more">
                <summary aria-label={`More for ${name}`}>⋯</summary>
                <Rename name={name} label={room.called(name)} act={act} />
                {state === 'away' ? (
                  <button type="button" onClick={() => act({ action: 'free', actor: name })}>
                    Free its name
                  </button>
                ) : (
                  <button type="button" onClick={() => act({ action: 'cut', actor: name })}>
                    Cut the line: it comes back
                  </button>
                )}
                <HoldButton onHeld={() => act({ action: 'dismiss', actor: name })}>
                  Send it out: hold 2 s
                </HoldButton>
                <span className="quiet">What it keeps in its own memory is lost.</span>
              </details>
            </li>
          ))}
      </ul>
      {detail.actors.length === 0 ? <p className="quiet">No players yet.</p> : null}
    </>
  );
}

interface RenameProps {
  readonly name: string;
  readonly label: string;
  readonly act: (control: Control) => void;
}

/** Only what it is called: who it is stays. */
function Rename({ name, label, act }: RenameProps) {
  const [typed, setTyped] = useState(label);
  return (
    <form
      className="row"
      onSubmit={(event) => {
        event.preventDefault();
        act({ action: 'rename', actor: name, label: typed });
      }}
    >
      <input
        aria-label={`What ${name} is called`}
        value={typed}
        maxLength={LABEL_CHARS_MAX}
        onInput={({ currentTarget }) => setTyped(currentTarget.value)}
      />
      <button type="submit">Rename</button>
    </form>
  );
}

function standing({ state, holding, slowMs, roundTripMs }: LabActorEntry): string {
  if (state === 'away') return 'silent: seat kept';
  if (state !== 'attached') return state;
  if (holding > 0) return '❚❚ held';
  if (slowMs > 0) return `slowed by ${slowMs} ms`;
  return roundTripMs === null ? '' : `${roundTripMs} ms`;
}
