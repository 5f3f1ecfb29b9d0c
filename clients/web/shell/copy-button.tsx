import { useState } from 'preact/hooks';

export interface CopyButtonProps {
  readonly text: string;
  readonly label?: string;
}

/** Copies a text, and says that it has. */
export function CopyButton({ text, label = 'Copy' }: CopyButtonProps) {
  const [copied, setCopied] = useState<'not yet' | 'done' | 'failed'>('not yet');
  const words = { 'not yet': label, done: 'Copied', failed: 'Select it and copy by hand' }[copied];
  return (
    <button
      type="button"
      className="small"
      onClick={() => {
        copyText(text).then(
          () => setCopied('done'),
          () => setCopied('failed'),
        );
      }}
    >
      {words}
    </button>
  );
}

/** Over plain http, as on a LAN, browsers have no clipboard but the old one. */
async function copyText(text: string): Promise<void> {
  if (navigator.clipboard !== undefined) return navigator.clipboard.writeText(text);
  const area = document.createElement('textarea');
  area.value = text;
  document.body.append(area);
  area.select();
  const done = document.execCommand('copy');
  area.remove();
  if (!done) throw new Error('the browser does not copy');
}
