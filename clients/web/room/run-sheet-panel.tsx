import type { Control } from '../../../server/protocol/http-api.ts';
import type { LabLed } from '../../../server/protocol/lab-control.ts';
import { playerOf } from '../player/players.ts';
import { missingIn, spoken } from '../sheet/cast.ts';
import { verbsOfCue } from '../sheet/cue-verbs.ts';
import { useKeys } from '../shell/keys.ts';
import type { Room } from './use-room.ts';

export interface RunSheetPanelProps {
  readonly room: Room;
  readonly act: (control: Control) => void;
}

/** The cues: what was, what is to be said and pressed now, what comes. */
export function RunSheetPanel({ room, act }: RunSheetPanelProps) {
  const { sheet, cue, cast, page, called, led } = room;
  const actor = cue.now === 'none' ? undefined : cast.get(cue.now.role);
  const go = () => {
    if (cue.now === 'none' || actor === undefined || page === 'none') return;
    if (led !== 'none') return act({ action: 'cue', cue: cue.at, actor });
    for (const verb of verbsOfCue(cue.now, cue.left, page)) {
      act({ action: 'perform', actor, verb: { ...verb } });
    }
  };
  useKeys([{ key: 'Enter', shown: 'Enter', does: 'the cue, without its player', run: go }]);
  if (sheet === 'none') {
    return (
      <section className="sheet" aria-label="Run sheet">
        <h2>Run sheet</h2>
        <p className="quiet">
          This lab has none: everybody does what they like. Labs from seed-zero-page bring one.
        </p>
        {room.detail === 'unknown'
          ? null
          : room.detail.todo.map((each) => <p key={each}>{each}</p>)}
      </section>
    );
  }
  return (
    <section className="sheet" aria-label="Run sheet">
      <h2>Run sheet</h2>
      <ol>
        {sheet.cues.map((each, at) => {
          const who = spoken(`{${each.role}}`, cast, called);
          const key = `${at} ${each.button}`;
          if (at !== cue.at) {
            return (
              <li key={key} className={at < cue.at ? 'done' : ''}>
                <span>{at < cue.at ? '✓' : at + 1}</span> {who}: {each.button}
              </li>
            );
          }
          return (
            <li key={key} className="now" aria-current="step">
              <strong>
                <span>{at + 1}</span> {who}: {each.button}
              </strong>
              <em>{spoken(each.says, cast, called)}</em>
              {actor === undefined ? (
                <button type="button" className="primary" onClick={() => addBot(room)}>
                  Add a bot as the {each.role}
                </button>
              ) : (
                <button type="button" className="primary" onClick={go} data-testid="cue-go">
                  Do it for {called(actor)}
                </button>
              )}
            </li>
          );
        })}
      </ol>
      {cue.now === 'none' ? <p className="note good">That was the race.</p> : null}
      {led === 'none' ? null : <LedNote room={room} led={led} act={act} />}
      <HowTo />
    </section>
  );
}

interface LedNoteProps extends RunSheetPanelProps {
  readonly led: LabLed;
}

/** Who is held where, and what to do if it went another way. */
function LedNote({ room, led, act }: LedNoteProps) {
  const { held, why, state } = led;
  return (
    <>
      {held.map(({ actor, at }) => (
        <p key={`${actor} ${at}`} className="note">
          ❚❚ {room.called(actor)} is held: {at}
        </p>
      ))}
      {why === undefined ? null : (
        <p className="note warn" role="status">
          {why}{' '}
          {state === 'lost' ? (
            <button type="button" onClick={() => act({ action: 'restart' })}>
              Begin anew
            </button>
          ) : null}
        </p>
      )}
    </>
  );
}

const HOW_TO = [
  'Open the stage, and put it on the projector: it shows the code as long as no device is there.',
  'Everybody scans the code, or types it, and taps Be a device. The lab gives the names.',
  'The cue is on the stage, and is the one big button of the phone whose turn it is.',
  'Nobody there? Enter does the cue, or add a bot. ⋯ behind a name hands on, renames, sends out.',
  'After the last read the line across the stage says who wrote what, and who read what.',
  'Undo takes it back. Pause, and let one go at a time: what else could happen?',
  'Again, with the other kernel, under the same phones. Which one was told?',
];

/** For somebody who runs a room for the first time. */
function HowTo() {
  return (
    <details>
      <summary>How to run this in a room</summary>
      <ol className="how-to">
        {HOW_TO.map((step) => (
          <li key={step}>{step}</li>
        ))}
      </ol>
    </details>
  );
}

/** A player of this page, so that two people can do what needs three. */
function addBot({ detail, sheet, cast }: Room): void {
  if (detail === 'unknown' || sheet === 'none') return;
  const role = missingIn(sheet, cast);
  playerOf(detail.name, 'auto', role === 'none' ? 'device' : role);
}
