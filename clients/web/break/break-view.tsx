import { lazy } from 'preact/compat';
import { LevelView } from './level-view.tsx';

const BreakTable = lazy(async () => ({ default: (await import('./break-table.tsx')).BreakTable }));

export interface BreakViewProps {
  readonly level: string;
  readonly moves: string;
  readonly room: string;
}

/** The game: you are the scheduler. */
export function BreakView({ level: name, moves, room }: BreakViewProps) {
  return (
    <LevelView name={name} coming="Building the machine">
      {(level) => <BreakTable key={level.scenario} level={level} text={moves} room={room} />}
    </LevelView>
  );
}
