import type { SessionStatus } from './reconnecting.ts';

const WORDS: { readonly [State in SessionStatus['state']]: readonly [kind: string, text: string] } =
  {
    connecting: ['warn', '◌ connecting'],
    live: ['good', '● connected'],
    away: ['warn', '◌ connection lost, coming back'],
    waiting: ['warn', '◌ no connection, trying again'],
    refused: ['alarm', '✕ refused'],
  };

/** How the connection is, in the bar of every view that has one. */
export function StatusChip({ status }: { readonly status: SessionStatus }) {
  const [kind, text] = WORDS[status.state];
  const [sign = '', ...words] = text.split(' ');
  return (
    <span className={`chip ${kind}`} role="status">
      {sign}{' '}
      <span className={status.state === 'live' ? 'spoken-narrow' : ''}>{words.join(' ')}</span>
    </span>
  );
}
