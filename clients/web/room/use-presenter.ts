import { useState } from 'preact/hooks';
import { presenterToken } from '../shell/memory.ts';

/** The page that has opened the presenter's own link is the presenter's, too. */
export function usePresenter(lab: string): 'presenter' | 'guest' {
  const [role] = useState<'presenter' | 'guest'>(() =>
    presenterToken(lab) === '' ? 'guest' : 'presenter',
  );
  return role;
}
