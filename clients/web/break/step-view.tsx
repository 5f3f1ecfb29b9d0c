import { lazy } from 'preact/compat';
import { LevelView } from './level-view.tsx';

const StepTable = lazy(async () => ({ default: (await import('./step-table.tsx')).StepTable }));

export interface StepViewProps {
  readonly level: string;
  readonly moves: string;
  readonly at: number;
}

/** Two kernels on one order of steps. */
export function StepView({ level: name, moves, at }: StepViewProps) {
  return (
    <LevelView name={name} coming="Building two machines">
      {(level) => <StepTable key={level.scenario} level={level} text={moves} at={at} />}
    </LevelView>
  );
}
