/** Theme and type size: chosen by a person, remembered, else what the system says. */
import { useSyncExternalStore } from 'preact/compat';
import { DARK, LIGHT, type Palette } from '../style/palette.ts';
import { recall, remember } from './memory.ts';

export type Theme = 'system' | 'light' | 'dark';
export type TypeSize = 'desk' | 'room';

export interface Appearance {
  readonly theme: Theme;
  readonly size: TypeSize;
  /** Of the theme as it is now. */
  readonly palette: Palette;
  /** Of type and of everything that goes with it: 1 at a desk. */
  readonly scale: number;
  readonly motion: 'full' | 'reduced';
}

const ROOM_SCALE = 1.5;
const dark = matchMedia('(prefers-color-scheme: dark)');
const still = matchMedia('(prefers-reduced-motion: reduce)');
const listeners = new Set<() => void>();
let appearance = newAppearance(
  oneOf(recall('theme'), ['light', 'dark'] as const, 'system'),
  oneOf(recall('size'), ['room'] as const, 'desk'),
);

dark.addEventListener('change', () => change(appearance.theme, appearance.size));
still.addEventListener('change', () => change(appearance.theme, appearance.size));
show();

export function useAppearance(): Appearance {
  return useSyncExternalStore(subscribe, () => appearance);
}

/** From light to dark and back; the first time away from what the system says. */
export function toggleTheme(): void {
  change(appearance.palette === DARK ? 'light' : 'dark', appearance.size);
}

export function toggleSize(): void {
  change(appearance.theme, appearance.size === 'room' ? 'desk' : 'room');
}

function change(theme: Theme, size: TypeSize): void {
  appearance = newAppearance(theme, size);
  remember('theme', theme);
  remember('size', size);
  show();
  for (const listener of listeners) listener();
}

function show(): void {
  const { dataset } = document.documentElement;
  if (appearance.theme === 'system') delete dataset.theme;
  else dataset.theme = appearance.theme;
  dataset.size = appearance.size;
}

function newAppearance(theme: Theme, size: TypeSize): Appearance {
  const isDark = theme === 'system' ? dark.matches : theme === 'dark';
  return {
    theme,
    size,
    palette: isDark ? DARK : LIGHT,
    scale: size === 'room' ? ROOM_SCALE : 1,
    motion: still.matches ? 'reduced' : 'full',
  };
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function oneOf<Word extends string, Other extends string>(
  text: string,
  words: readonly Word[],
  other: Other,
): Word | Other {
  return words.find((word) => word === text) ?? other;
}
