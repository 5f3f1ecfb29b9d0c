import { useMemo } from 'preact/hooks';
import { failureText } from '../../../server/report/describe-failure.ts';
import type { ScenarioPlan } from '../../../server/scenario/scenario-plan.ts';
import { applyEvent, emptyModel } from '../model/lab-model.ts';
import { panelLayout } from '../picture/layout.ts';
import { pictureMoment, type Sweep, sweepIn } from '../picture/moment.ts';
import { Picture } from '../picture/picture.tsx';
import { useKeys } from '../shell/keys.ts';
import { Link } from '../shell/link.tsx';
import { goTo } from '../shell/navigation.ts';
import { actorsOf, type Game, type Move, play } from './game.ts';
import { levelCpu, planOfLevel } from './level-plan.ts';
import { LEVEL_SCENARIOS } from './level-scenarios.ts';
import type { Level } from './levels.ts';
import { moveWords } from './move-words.ts';
import { movesOfText, textOfMoves } from './moves-text.ts';
import { parOf } from './ways.ts';

export interface StepTableProps {
  readonly level: Level;
  /** The order that both kernels get; empty: the one with the fewest switches that breaks the one with the bug. */
  readonly text: string;
  readonly at: number;
}

/** One order of choices, on the kernel with the bug and on the one without: every step, one numbering. */
export function StepTable({ level, text, at }: StepTableProps) {
  const scenario = LEVEL_SCENARIOS.get(level.scenario);
  const plans = useMemo(
    () =>
      scenario === undefined
        ? 'none'
        : {
            bug: planOfLevel(level, scenario, 'bug'),
            right: planOfLevel(level, scenario, 'right'),
          },
    [level, scenario],
  );
  const order = useMemo(
    () => (plans === 'none' ? [] : orderOf(plans.bug, level, text)),
    [plans, level, text],
  );
  if (plans === 'none') return null;
  return <Both level={level} plans={plans} order={order} at={Math.min(at, order.length)} />;
}

function orderOf(plan: ScenarioPlan, level: Level, text: string): readonly string[] {
  if (text !== '') return movesOfText(actorsOf(plan), text);
  const par = parOf(plan, level.par);
  return typeof par === 'object' ? (par.ways[0] ?? []) : [];
}

interface BothProps {
  readonly level: Level;
  readonly plans: { readonly bug: ScenarioPlan; readonly right: ScenarioPlan };
  readonly order: readonly string[];
  readonly at: number;
}

function Both({ level, plans, order, at }: BothProps) {
  const actors = actorsOf(plans.bug);
  const whole = useMemo(
    () => ({ bug: play(plans.bug, order), right: play(plans.right, order) }),
    [plans, order],
  );
  const now = useMemo(
    () => ({
      bug: play(plans.bug, order.slice(0, at)),
      right: play(plans.right, order.slice(0, at)),
    }),
    [plans, order, at],
  );
  const text = textOfMoves(actors, order);
  const to = (next: number) => {
    const place = Math.min(order.length, Math.max(0, next));
    goTo({ view: 'step', level: level.scenario, moves: text, at: place }, 'replace');
  };
  useKeys([
    { key: 'ArrowLeft', shown: '←', does: 'a step back', run: () => to(at - 1) },
    { key: 'ArrowRight', shown: '→', does: 'a step on', run: () => to(at + 1) },
    { key: 'Home', shown: 'Home', does: 'to the beginning', run: () => to(0) },
    { key: 'End', shown: 'End', does: 'to the end', run: () => to(order.length) },
  ]);
  const moves = whole.bug.moves.map((move, index) => ({
    at: index + 1,
    move,
    other: whole.right.moves[index],
  }));
  return (
    <>
      <header className="break-head">
        <div>
          <h1>{level.title}</h1>
          <p className="quiet">
            One order of steps, two kernels. They differ where a row is split.
          </p>
        </div>
        <div className="row">
          <button type="button" disabled={at === 0} onClick={() => to(at - 1)}>
            Back
          </button>
          <button
            type="button"
            className="primary"
            disabled={at === order.length}
            onClick={() => to(at + 1)}
          >
            Step
          </button>
        </div>
      </header>
      <div className="two-kernels">
        <Kernel title="Stock kernel" plan={plans.right} game={now.right} />
        <Kernel title={`With ${level.bug.name}`} plan={plans.bug} game={now.bug} />
      </div>
      <input
        type="range"
        className="scrub"
        min={0}
        max={order.length}
        value={at}
        aria-label="Step"
        onInput={({ currentTarget }) => to(Number(currentTarget.value))}
      />
      <ol className="both-steps">
        {moves.map(({ at: number, move, other }) => (
          <li key={number} className={number === at ? 'now' : ''}>
            <button type="button" aria-current={number === at} onClick={() => to(number)}>
              <b>{number}</b> <strong>{move.actor}</strong>
              <Words stock={other} bug={move} />
            </button>
          </li>
        ))}
      </ol>
      <p className="row">
        <Link
          to={{ view: 'break', level: level.scenario, moves: text.slice(0, at), room: '' }}
          className="button primary"
        >
          Go on from here by hand
        </Link>
        <Link
          to={{
            view: 'explore',
            question: {
              scenario: level.scenario,
              ...(level.bug.kind === 'patch' ? { patch: level.bug.name } : {}),
            },
          }}
          className="button"
        >
          Ask the explorer
        </Link>
      </p>
    </>
  );
}

function Words({ stock, bug }: { readonly stock: Move | undefined; readonly bug: Move }) {
  const right = stock === undefined ? 'nothing' : moveWords(stock);
  const wrong = moveWords(bug);
  if (right === wrong) return <span>{wrong}</span>;
  return (
    <>
      <span className="right-words">stock: {right}</span>
      <span className="wrong-words">≠ {wrong}</span>
    </>
  );
}

interface KernelProps {
  readonly title: string;
  readonly plan: ScenarioPlan;
  readonly game: Game;
}

function Kernel({ title, plan, game }: KernelProps) {
  const { moment, sweep } = useMemo(() => {
    const model = emptyModel('stock');
    for (const event of game.events) applyEvent(model, event);
    const seen = pictureMoment(model, {
      page: plan.pages[0]?.page ?? 0,
      racers: plan.devices.map(({ name }) => name),
      cpu: levelCpu(plan),
      cellsMax: 4,
    });
    const before = game.moves.at(-2)?.n ?? 0;
    const swept: Sweep = sweepIn(
      game.events.filter(({ n }) => n > before),
      seen,
    );
    return { moment: seen, sweep: swept };
  }, [plan, game]);
  const acting = game.moves.at(-1);
  return (
    <section className="kernel" aria-label={title}>
      <h2>{title}</h2>
      <Picture
        moment={moment}
        layout={panelLayout(moment)}
        sweep={sweep}
        {...(acting === undefined ? {} : { acting: { actor: acting.actor, words: 'acts' } })}
      />
      <p className={`kernel-words ${game.state === 'broken' ? 'wrong' : ''}`}>
        {game.state === 'broken' ? `Broken: ${failureText(game.failure)}` : wordsOf(acting)}
      </p>
    </section>
  );
}

function wordsOf(move: Move | undefined): string {
  return move === undefined ? 'Before the first step.' : `${move.actor}: ${moveWords(move)}`;
}
