import { useEffect, useMemo, useState } from 'preact/hooks';
import { failureText } from '../../../server/report/describe-failure.ts';
import type { ScenarioPlan } from '../../../server/scenario/scenario-plan.ts';
import { applyEvent, emptyModel, type LabModel } from '../model/lab-model.ts';
import { wideLayout } from '../picture/layout.ts';
import { pictureMoment, sweepIn } from '../picture/moment.ts';
import { Picture } from '../picture/picture.tsx';
import { addressOfRoute } from '../route.ts';
import { serverApi } from '../server-api.ts';
import { CopyButton } from '../shell/copy-button.tsx';
import { useKeys } from '../shell/keys.ts';
import { Link } from '../shell/link.tsx';
import { useLoaded } from '../shell/loaded.ts';
import { goTo } from '../shell/navigation.ts';
import { Term } from '../shell/term.tsx';
import { actorsOf, type Game, type Move, play } from './game.ts';
import { type LevelKernel, levelCpu, planOfLevel } from './level-plan.ts';
import { LEVEL_SCENARIOS } from './level-scenarios.ts';
import { LEVELS, type Level } from './levels.ts';
import { moveWords } from './move-words.ts';
import { movesOfText, textOfMoves } from './moves-text.ts';
import { type RoomVote, useRoomVote } from './room-vote.ts';
import { canStillBreak, newWaysSearch } from './ways.ts';

const KEYS = ['f', 'j', 'k', 'l'] as const;
/** Milliseconds of searching without a break. */
const SLICE_MS = 25;
/** Milliseconds for the proof that nothing can fail any more. */
const PROOF_MS = 1_500;
const PICTURE = { width: 1_000, height: 330 };

export interface BreakTableProps {
  readonly level: Level;
  readonly text: string;
  /** The lab whose phones choose; empty for a player alone. */
  readonly room: string;
}

export function BreakTable({ level, text, room }: BreakTableProps) {
  const [kernel, setKernel] = useState<LevelKernel>('bug');
  const scenario = LEVEL_SCENARIOS.get(level.scenario);
  const plan = useMemo(
    () => (scenario === undefined ? 'none' : planOfLevel(level, scenario, kernel)),
    [level, scenario, kernel],
  );
  if (plan === 'none') return null;
  const props = { level, plan, kernel, onKernel: setKernel, text, room };
  return <Playing {...props} />;
}

interface PlayingProps extends BreakTableProps {
  readonly plan: ScenarioPlan;
  readonly kernel: LevelKernel;
  readonly onKernel: (kernel: LevelKernel) => void;
}

function Playing({ level, plan, kernel, onKernel, text, room }: PlayingProps) {
  const actors = useMemo(() => actorsOf(plan), [plan]);
  const moves = useMemo(() => movesOfText(actors, text), [actors, text]);
  const game = useMemo(() => play(plan, moves), [plan, moves]);
  const [hint, setHint] = useState('');
  const ways = useWays(plan, game, level.par);
  const go = (next: readonly string[]) => {
    setHint('');
    goTo(
      { view: 'break', level: level.scenario, moves: textOfMoves(actors, next), room },
      next.length > moves.length ? 'push' : 'replace',
    );
  };
  const choose = (actor: string) => {
    if (game.state === 'open' && game.ready.includes(actor)) go([...moves, actor]);
  };
  useKeys([
    ...actors.slice(0, KEYS.length).map((actor, at) => ({
      key: KEYS[at] as string,
      shown: (KEYS[at] as string).toUpperCase(),
      does: `${actor} goes next`,
      run: () => choose(actor),
    })),
    { key: 'Backspace', shown: '⌫', does: 'take a choice back', run: () => go(moves.slice(0, -1)) },
  ]);
  const tell = () => {
    const [way] = ways.state === 'some' ? ways.ways : [];
    const next = way?.[game.moves.length];
    setHint(next === undefined ? hintless(ways) : `Let ${next} go next.`);
  };
  return (
    <>
      <header className="break-head">
        <div>
          <h1>You are the scheduler. {level.goal}</h1>
          <p className="quiet">
            {level.title}. Choose who takes each next step. Par: {level.par}{' '}
            <Term of="switch">{level.par === 1 ? 'switch' : 'switches'}</Term>.
          </p>
        </div>
        <fieldset className="row">
          <legend className="unseen">Kernel</legend>
          <button
            type="button"
            aria-pressed={kernel === 'bug'}
            onClick={() => {
              onKernel('bug');
              go([]);
            }}
          >
            With the bug
          </button>
          {level.bug.kind === 'as written' ? null : (
            <button
              type="button"
              aria-pressed={kernel === 'right'}
              onClick={() => {
                onKernel('right');
                go([]);
              }}
            >
              Stock
            </button>
          )}
        </fieldset>
      </header>
      <Board plan={plan} game={game} />
      {game.state === 'open' ? (
        <Choices
          plan={plan}
          actors={actors}
          game={game}
          moves={moves}
          room={room}
          onChoose={choose}
        />
      ) : (
        <Outcome game={game} level={level} kernel={kernel} actors={actors} />
      )}
      <Trail actors={actors} game={game} />
      <footer className="break-foot">
        <button type="button" disabled={moves.length === 0} onClick={() => go(moves.slice(0, -1))}>
          Undo
        </button>
        <button type="button" disabled={moves.length === 0} onClick={() => go([])}>
          Start again
        </button>
        <button type="button" disabled={game.state !== 'open'} onClick={tell}>
          Hint
        </button>
        <span role="status">{hint}</span>
        <span className="ways-left" data-testid="ways-left">
          {waysWords(ways)} · {game.switches} {game.switches === 1 ? 'switch' : 'switches'}
        </span>
      </footer>
      <nav className="levels" aria-label="Levels">
        {LEVELS.map(({ scenario, title, par }) => (
          <Link
            key={scenario}
            to={{ view: 'break', level: scenario, moves: '', room }}
            className={scenario === level.scenario ? 'button primary' : 'button'}
          >
            {title} <span className="quiet">par {par}</span>
          </Link>
        ))}
      </nav>
    </>
  );
}

function Board({ plan, game }: { readonly plan: ScenarioPlan; readonly game: Game }) {
  const { moment, sweep } = useMemo(() => {
    const model: LabModel = emptyModel('stock');
    for (const event of game.events) applyEvent(model, event);
    const page = plan.pages[0]?.page ?? 0;
    const seen = pictureMoment(model, {
      page,
      racers: plan.devices.map(({ name }) => name),
      cpu: levelCpu(plan),
      cellsMax: 4,
    });
    const before = game.moves.at(-2)?.n ?? 0;
    return {
      moment: seen,
      sweep: sweepIn(
        game.events.filter(({ n }) => n > before),
        seen,
      ),
    };
  }, [plan, game]);
  return (
    <div className="break-board">
      <Picture moment={moment} layout={wideLayout(moment, PICTURE)} sweep={sweep} />
    </div>
  );
}

interface ChoicesProps {
  readonly plan: ScenarioPlan;
  readonly actors: readonly string[];
  readonly game: Game;
  readonly moves: readonly string[];
  readonly room: string;
  readonly onChoose: (actor: string) => void;
}

interface Choice {
  readonly actor: string;
  /** Empty if it cannot go. What it would do is what it does in a machine beside this one. */
  readonly words: string;
}

/** A button for each actor, always at its place. */
function Choices({ plan, actors, game, moves, room, onChoose }: ChoicesProps) {
  const choices = useMemo(
    () =>
      actors.map((actor): Choice => {
        const isReady = game.ready.includes(actor);
        const next = isReady ? play(plan, [...moves, actor]).moves.at(-1) : undefined;
        return { actor, words: next === undefined ? '' : moveWords(next) };
      }),
    [plan, actors, game, moves],
  );
  if (room === '')
    return <ChoiceButtons choices={choices} counts={NO_COUNTS} onChoose={onChoose} />;
  return <VotedChoices step={moves.length + 1} choices={choices} room={room} onChoose={onChoose} />;
}

const NO_COUNTS: RoomVote['counts'] = {};

interface VotedChoicesProps {
  readonly step: number;
  readonly choices: readonly Choice[];
  readonly room: string;
  readonly onChoose: (actor: string) => void;
}

/** What most phones say is the next step, once all have said something or the presenter takes it. */
function VotedChoices({ step, choices, room, onChoose }: VotedChoicesProps) {
  const asked = useMemo(
    () =>
      choices
        .filter(({ words }) => words !== '')
        .map(({ actor, words }) => ({ choice: actor, words })),
    [choices],
  );
  const { counts, voices, devices, leads } = useRoomVote(room, `Step ${step}`, asked);
  const [lab] = useLoaded(() => serverApi.lab(room));
  const code = lab.state === 'there' ? lab.value.code : '';
  const isComplete = devices > 0 && voices >= devices && leads !== 'none';
  // biome-ignore lint/correctness/useExhaustiveDependencies: onChoose is another function at each turn.
  useEffect(() => {
    if (isComplete) onChoose(leads);
  }, [isComplete, leads, step]);
  return (
    <>
      <p className="room-vote" role="status" data-testid="room-vote">
        Join <b className="code">{code}</b> The room chooses: {voices} of {devices} have said who
        goes next.{' '}
        <button type="button" disabled={leads === 'none'} onClick={() => onChoose(leads)}>
          Take what there is
        </button>
      </p>
      <ChoiceButtons choices={choices} counts={counts} onChoose={onChoose} />
    </>
  );
}

interface ChoiceButtonsProps {
  readonly choices: readonly Choice[];
  readonly counts: RoomVote['counts'];
  readonly onChoose: (actor: string) => void;
}

function ChoiceButtons({ choices, counts, onChoose }: ChoiceButtonsProps) {
  return (
    <div className="break-choices">
      {choices.map(({ actor, words }, at) => (
        <button
          key={actor}
          type="button"
          disabled={words === ''}
          data-actor={actor}
          onClick={() => onChoose(actor)}
        >
          <strong>{actor}</strong>
          <span>{words === '' ? 'waits, or is done' : words}</span>
          {counts[actor] === undefined ? null : <b className="voices">{counts[actor]}</b>}
          {at < KEYS.length ? <kbd>{(KEYS[at] as string).toUpperCase()}</kbd> : null}
        </button>
      ))}
    </div>
  );
}

interface OutcomeProps {
  readonly game: Game;
  readonly level: Level;
  readonly kernel: LevelKernel;
  readonly actors: readonly string[];
}

function Outcome({ game, level, kernel, actors }: OutcomeProps) {
  const route = {
    view: 'break' as const,
    room: '',
    level: level.scenario,
    moves: textOfMoves(
      actors,
      game.moves.map(({ actor }) => actor),
    ),
  };
  if (game.state === 'over' || game.failure === 'none') {
    return (
      <p className="break-end right" role="status" data-testid="break-end">
        <b>It holds.</b>{' '}
        {kernel === 'right'
          ? 'The stock kernel has no gap here.'
          : 'Everybody is done, and nothing is broken. Start again.'}
      </p>
    );
  }
  const isPar = game.switches <= level.par;
  return (
    <div className="break-end wrong" role="status" data-testid="break-end">
      <p>
        <b>Broken</b> in {game.switches} {game.switches === 1 ? 'switch' : 'switches'}
        {isPar ? ': the minimum!' : `. The minimum is ${level.par}.`}
      </p>
      <p>{failureText(game.failure)}</p>
      <CopyButton text={`${location.origin}${addressOfRoute(route)}`} label="Copy the link" />
    </div>
  );
}

function Trail({ actors, game }: { readonly actors: readonly string[]; readonly game: Game }) {
  return (
    <div className="break-trail">
      {actors.map((actor) => (
        <div
          key={actor}
          style={{ gridTemplateColumns: `6.5rem repeat(${game.moves.length}, 7.5rem)` }}
        >
          <strong>{actor}</strong>
          {game.moves.map((move, at) =>
            move.actor === actor ? (
              <span key={keyOf(move, at)} style={{ gridColumn: at + 2 }}>
                <b>{at + 1}</b> {moveWords(move)}
              </span>
            ) : null,
          )}
        </div>
      ))}
    </div>
  );
}

/** The same choice may come twice in a row, and none moves. */
function keyOf({ n, actor }: Move, at: number): string {
  return `${n} ${actor} ${at}`;
}

type WaysLeft =
  | { readonly state: 'searching' | 'unknown' | 'dead' | 'above-par' | 'broken' }
  | { readonly state: 'some'; readonly ways: readonly (readonly string[])[] };

/** Searched, not guessed: behind each choice, in slices between which the page can draw. */
function useWays(plan: ScenarioPlan, game: Game, par: number): WaysLeft {
  const [left, setLeft] = useState<WaysLeft>({ state: 'searching' });
  useEffect(() => {
    if (game.state !== 'open') {
      setLeft({ state: game.state === 'broken' ? 'broken' : 'dead' });
      return;
    }
    setLeft({ state: 'searching' });
    const prefix = game.moves.map(({ actor }) => actor);
    const search = newWaysSearch(plan, prefix, Math.max(par, game.switches));
    let timer: ReturnType<typeof setTimeout>;
    const slice = () => {
      const end = performance.now() + SLICE_MS;
      while (performance.now() < end) {
        if (search.step() === 'more') continue;
        const { ways } = search;
        setLeft(ways.length > 0 ? { state: 'some', ways } : stillBreaks(plan, game));
        return;
      }
      timer = setTimeout(slice, 0);
    };
    timer = setTimeout(slice, 0);
    return () => clearTimeout(timer);
  }, [plan, game, par]);
  return left;
}

function stillBreaks(plan: ScenarioPlan, { choices }: Game): WaysLeft {
  const end = performance.now() + PROOF_MS;
  const still = canStillBreak(plan, choices, () => (performance.now() < end ? 'go on' : 'stop'));
  if (still === 'no') return { state: 'dead' };
  return { state: still === 'yes' ? 'above-par' : 'unknown' };
}

function waysWords(left: WaysLeft): string {
  switch (left.state) {
    case 'searching':
      return 'counting the ways';
    case 'broken':
      return 'broken';
    case 'dead':
      return 'nothing can fail any more';
    case 'above-par':
      return 'it can still break, but not in par';
    case 'unknown':
      return 'it may still break';
    case 'some':
      return `${left.ways.length} ${left.ways.length === 1 ? 'way' : 'ways'} left to break it`;
  }
}

function hintless(left: WaysLeft): string {
  return left.state === 'dead' ? 'Nothing helps any more: undo.' : 'No way in par from here: undo.';
}
