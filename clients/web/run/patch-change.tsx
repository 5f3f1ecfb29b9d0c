import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { serverApi } from '../server-api.ts';
import { useLoaded } from '../shell/loaded.ts';

/** What a patch changes, line by line against stock. Fetched when it is opened. */
export function PatchChange({ id }: { readonly id: string }) {
  const [open, setOpen] = useState(false);
  return (
    <details
      className="patch-change"
      open={open}
      onToggle={({ currentTarget }) => setOpen(currentTarget.open)}
    >
      <summary>What {id} changes</summary>
      {open ? <Change key={id} id={id} /> : null}
    </details>
  );
}

function Change({ id }: { readonly id: string }) {
  const [loaded] = useLoaded(() => serverApi.patch(id));
  if (loaded.state === 'loading') return <p className="quiet">Loading</p>;
  if (loaded.state === 'failed') return <p className="note alarm">{loaded.why}</p>;
  const { patch, diff, source } = loaded.value;
  return (
    <div className="stack">
      <p>{patch.summary}</p>
      <p className="quiet">{patch.provenance}</p>
      <Scrolling name={`${id} against stock`}>
        {diff.split('\n').map((line, at) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: lines of a text that does not change.
          <span key={at} className={kindOf(line)}>
            {`${line}\n`}
          </span>
        ))}
      </Scrolling>
      <details>
        <summary>The file of the patch</summary>
        <Scrolling name={`the file of ${id}`}>{source}</Scrolling>
      </details>
    </div>
  );
}

/** By the keyboard, too. */
function Scrolling({
  name,
  children,
}: {
  readonly name: string;
  readonly children: ComponentChildren;
}) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached.
    <section tabIndex={0} aria-label={name}>
      <pre className="diff">{children}</pre>
    </section>
  );
}

function kindOf(line: string): 'file' | 'place' | 'added' | 'removed' | 'same' {
  if (/^(?:---|\+\+\+) /.test(line)) return 'file';
  if (line.startsWith('@@')) return 'place';
  if (line.startsWith('+')) return 'added';
  return line.startsWith('-') ? 'removed' : 'same';
}
