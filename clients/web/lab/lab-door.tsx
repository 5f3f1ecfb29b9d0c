import type { ComponentChildren } from 'preact';
import { CodeField } from '../lobby/code-field.tsx';
import { RequestFailed, serverApi } from '../server-api.ts';
import { Link } from '../shell/link.tsx';
import { useLoaded } from '../shell/loaded.ts';
import { doorOf, keepDoor } from '../shell/memory.ts';
import { TopBar } from '../shell/top-bar.tsx';

export interface LabDoorProps {
  readonly lab: string;
  readonly children: ComponentChildren;
}

/** Finds out how this browser may come into a lab, before anything of the page tries to. */
export function LabDoor({ lab, children }: LabDoorProps) {
  const [found] = useLoaded(() => lookFor(lab));
  if (found.state === 'loading') return null;
  // What else keeps us out is told by the lab's own views, which try again by themselves.
  return isShut(found) ? <ShutDoor lab={lab} /> : children;
}

async function lookFor(lab: string): Promise<void> {
  try {
    await serverApi.lab(lab);
  } catch (error) {
    const stale = error instanceof RequestFailed && error.status === 404 && doorOf(lab) !== lab;
    if (!stale) throw error;
    // The code is that of an earlier lab of this name.
    keepDoor(lab, '');
    await serverApi.lab(lab);
  }
}

function isShut(found: { readonly state: string; readonly error?: unknown }): boolean {
  const { error } = found;
  return error instanceof RequestFailed && error.code === 'token-needed';
}

function ShutDoor({ lab }: { readonly lab: string }) {
  return (
    <div className="page">
      <TopBar />
      <main className="content stack">
        <h1>{lab} is joined by its code</h1>
        <p className="lead">
          This server is not for everybody. The presenter has the code; its owner has an address
          with the token.
        </p>
        <CodeField />
        <p>
          <Link to={{ view: 'home' }} className="button">
            To the first page
          </Link>
        </p>
      </main>
    </div>
  );
}
