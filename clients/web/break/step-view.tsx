import { lazy, Suspense } from 'preact/compat';
import { TopBar } from '../shell/top-bar.tsx';
import { FIRST_LEVEL, LEVELS } from './levels.ts';
import './break.css';

const StepTable = lazy(async () => ({ default: (await import('./step-table.tsx')).StepTable }));

export interface StepViewProps {
  readonly level: string;
  readonly moves: string;
  readonly at: number;
}

/** Two kernels on one order of steps. */
export function StepView({ level: name, moves, at }: StepViewProps) {
  const wanted = name === '' ? FIRST_LEVEL : name;
  const level = LEVELS.find(({ scenario }) => scenario === wanted);
  return (
    <div className="page">
      <TopBar />
      <main className="break">
        {level === undefined ? (
          <h1>There is no level {name}</h1>
        ) : (
          <Suspense fallback={<p className="working quiet">Building two machines</p>}>
            <StepTable key={level.scenario} level={level} text={moves} at={at} />
          </Suspense>
        )}
      </main>
    </div>
  );
}
