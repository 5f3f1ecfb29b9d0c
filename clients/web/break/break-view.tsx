import { lazy, Suspense } from 'preact/compat';
import { TopBar } from '../shell/top-bar.tsx';
import { FIRST_LEVEL, LEVELS } from './levels.ts';
import './break.css';

/** The machine comes with the game, and with nothing else of the page. */
const BreakTable = lazy(async () => ({ default: (await import('./break-table.tsx')).BreakTable }));

export interface BreakViewProps {
  readonly level: string;
  readonly moves: string;
  readonly room: string;
}

/** The game: you are the scheduler. */
export function BreakView({ level: name, moves, room }: BreakViewProps) {
  const wanted = name === '' ? FIRST_LEVEL : name;
  const level = LEVELS.find(({ scenario }) => scenario === wanted);
  return (
    <div className="page">
      <TopBar />
      <main className="break">
        {level === undefined ? (
          <h1>There is no level {name}</h1>
        ) : (
          <Suspense fallback={<p className="working quiet">Building the machine</p>}>
            <BreakTable key={level.scenario} level={level} text={moves} room={room} />
          </Suspense>
        )}
      </main>
    </div>
  );
}
