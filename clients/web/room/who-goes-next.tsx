import type { Control, LabActorEntry } from '../../../server/protocol/http-api.ts';
import { hexAddress, pageIndex } from '../../../server/vocabulary/address.ts';
import type { VerbParams } from '../../sdk/conductor.ts';
import { ActorControls } from '../lab/actor-controls.tsx';
import { verbsOfCue } from '../sheet/cue-verbs.ts';
import type { Room } from './use-room.ts';

/** Actors that have a button of their own; the others are in the list of people. */
const ACTORS_SHOWN = 4;

export interface WhoGoesNextProps {
  readonly room: Room;
  readonly act: (control: Control) => void;
}

/** One button for each actor, always at its place; only its words change. */
export function WhoGoesNext({ room, act }: WhoGoesNextProps) {
  const { detail, moment } = room;
  if (detail === 'unknown') return null;
  const racing = moment === 'none' ? [] : moment.cells.map(({ actor }) => actor);
  const shown = detail.actors
    .toSorted((a, b) => rank(racing, a) - rank(racing, b))
    .slice(0, ACTORS_SHOWN);
  return (
    <>
      <h2>Who goes next</h2>
      <div className="next">
        {shown.map((actor) => (
          <NextRow key={actor.name} actor={actor} room={room} act={act} />
        ))}
      </div>
    </>
  );
}

function rank(racing: readonly string[], { name }: LabActorEntry): number {
  const at = racing.indexOf(name);
  return at < 0 ? racing.length : at;
}

interface Next {
  readonly words: string;
  readonly why: string;
  readonly is: 'cue' | 'free' | 'step';
  readonly act: () => void;
  /** One step, where the button takes more. */
  readonly once?: () => void;
}

interface NextRowProps extends WhoGoesNextProps {
  readonly actor: LabActorEntry;
}

function NextRow({ actor, room, act }: NextRowProps) {
  const { name, holding } = actor;
  const next = nextOf({ actor, room, act });
  const { detail, feed } = room;
  const isBarred = detail === 'unknown';
  return (
    <div className="next-row" data-actor={name}>
      <p>
        <strong>{room.called(name)}</strong>
        <span className="quiet">{standing(actor)}</span>
      </p>
      <button
        type="button"
        className={next.is}
        disabled={holding > 0 && next.is !== 'cue'}
        onClick={next.act}
      >
        <strong>{next.words}</strong>
        <span>{next.why}</span>
        {next.is === 'cue' ? <b>cue</b> : null}
      </button>
      <button
        type="button"
        className="let-go"
        disabled={holding === 0}
        onClick={() => act({ action: 'go', actor: name })}
      >
        Let go
      </button>
      {next.once === undefined ? null : (
        <button type="button" className="small once" onClick={next.once}>
          One step
        </button>
      )}
      <details className="more">
        <summary>Hold it, slow it down, cut it off</summary>
        <ActorControls actor={actor} act={act} disabled={isBarred} vmas={feed.history.now.vmas} />
      </details>
    </div>
  );
}

function standing({ holding, state }: LabActorEntry): string {
  if (holding > 0) return '❚❚ held';
  return state === 'attached' ? '' : state;
}

/** Its step in a paused lab; its cue; else a read. */
function nextOf({ actor, room, act }: NextRowProps): Next {
  const { name, role } = actor;
  const { cue, cast, page, detail, moment, led } = room;
  if (
    led !== 'none' &&
    led.state === 'next' &&
    cue.now !== 'none' &&
    cast.get(cue.now.role) === name
  ) {
    const play = () => act({ action: 'cue', cue: cue.at, actor: name });
    return { words: cue.now.button, why: 'as far as the cue says', is: 'cue', act: play };
  }
  if (detail !== 'unknown' && detail.paused) {
    const task = detail.tasks.find((each) => each.actor === name && each.ready);
    if (task !== undefined) {
      return {
        words: task.name,
        why: `until something shows, from ${task.at}`,
        is: 'step',
        act: () => act({ action: 'step', task: task.id, until: 'it shows' }),
        once: () => act({ action: 'step', task: task.id }),
      };
    }
  }
  if (page === 'none') {
    return { words: 'Nothing to do', why: 'no memory is mapped', is: 'free', act: () => undefined };
  }
  const perform = (verbs: readonly VerbParams[]) => () => {
    for (const verb of verbs) act({ action: 'perform', actor: name, verb: { ...verb } });
  };
  if (cue.now !== 'none' && cast.get(cue.now.role) === name) {
    const verbs = verbsOfCue(cue.now, cue.left, page);
    return { words: cue.now.button, why: cue.left.join(', '), is: 'cue', act: perform(verbs) };
  }
  const address = hexAddress(pageIndex(page));
  if (role === 'cpu') {
    return {
      words: 'Load',
      why: address,
      is: 'free',
      act: perform([{ verb: 'load', address }]),
    };
  }
  const cell = moment === 'none' ? undefined : moment.cells.find((each) => each.actor === name);
  const hasMirror = cell !== undefined && cell.holds !== 'nothing';
  return {
    words: 'Read',
    why: hasMirror ? 'it has a mirror, and will use it' : 'it has no mirror, and asks the kernel',
    is: 'free',
    act: perform([{ verb: 'read', range: { first: page, end: page + 1 } }]),
  };
}
