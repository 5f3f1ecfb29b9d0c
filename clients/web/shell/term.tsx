import type { ComponentChildren } from 'preact';
import { GLOSSARY, type GlossaryWord } from './glossary.ts';

export interface TermProps {
  readonly of: GlossaryWord;
  readonly children: ComponentChildren;
}

/** A word that says what it means under the pointer. The tab Signs lists them all. */
export function Term({ of, children }: TermProps) {
  return (
    <dfn className="term" title={GLOSSARY[of]}>
      {children}
    </dfn>
  );
}
