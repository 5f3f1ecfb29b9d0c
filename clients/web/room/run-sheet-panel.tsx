import type { Control } from '../../../server/protocol/http-api.ts';
import { playerOf } from '../player/players.ts';
import { spoken } from '../sheet/cast.ts';
import { verbsOfCue } from '../sheet/cue-verbs.ts';
import { useKeys } from '../shell/keys.ts';
import type { Room } from './use-room.ts';

export interface RunSheetPanelProps {
  readonly room: Room;
  readonly act: (control: Control) => void;
}

/** The cues: what was, what is to be said and pressed now, what comes. */
export function RunSheetPanel({ room, act }: RunSheetPanelProps) {
  const { sheet, cue, cast, page, called } = room;
  const actor = cue.now === 'none' ? undefined : cast.get(cue.now.role);
  const go = () => {
    if (cue.now === 'none' || actor === undefined || page === 'none') return;
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
    </section>
  );
}

/** A device that this page plays, so that two people can do what needs three. */
function addBot({ detail }: Room): void {
  if (detail !== 'unknown') playerOf(detail.name, 'auto', 'device');
}
