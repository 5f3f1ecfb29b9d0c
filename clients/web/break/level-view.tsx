import type { ComponentChildren } from 'preact';
import { Suspense } from 'preact/compat';
import { TopBar } from '../shell/top-bar.tsx';
import { FIRST_LEVEL, LEVELS, type Level } from './levels.ts';
import './break.css';

export interface LevelViewProps {
  /** Of the scenario; empty for the first. */
  readonly name: string;
  /** What is said while the machine comes. */
  readonly coming: string;
  readonly children: (level: Level) => ComponentChildren;
}

/** The page about a level: its parts come with the machine, and with nothing else of the page. */
export function LevelView({ name, coming, children }: LevelViewProps) {
  const wanted = name === '' ? FIRST_LEVEL : name;
  const level = LEVELS.find(({ scenario }) => scenario === wanted);
  return (
    <div className="page">
      <TopBar />
      <main className="break">
        {level === undefined ? (
          <h1>There is no level {name}</h1>
        ) : (
          <Suspense fallback={<p className="working quiet">{coming}</p>}>
            {children(level)}
          </Suspense>
        )}
      </main>
    </div>
  );
}
