import { useState } from 'preact/hooks';
import type { RunEntry } from '../../../server/protocol/http-api.ts';
import { openRoom } from '../lobby/open-room.ts';
import { sentenceOf, serverApi } from '../server-api.ts';
import { useLoaded } from '../shell/loaded.ts';

/** The same question as a lab: its parts go to phones, and its counterexample leads them. */
export function PlayInRoom({ run }: { readonly run: RunEntry }) {
  const { scenario, text, code } = run.question;
  const [trouble, setTrouble] = useState('');
  const [scenarios] = useLoaded(serverApi.scenarios);
  const ships =
    scenarios.state === 'there' && scenarios.value.scenarios.some(({ name }) => name === scenario);
  // A lab begins with what ships; a moment of a lab is no scenario.
  if (!ships || text !== undefined || code !== undefined) return null;
  const play = async () => {
    try {
      await openRoom({ run: run.id });
    } catch (error) {
      setTrouble(sentenceOf(error));
    }
  };
  return (
    <p>
      <button type="button" onClick={() => play().catch(() => undefined)}>
        Play this in a room
      </button>
      {trouble === '' ? null : (
        <span className="note alarm" role="alert">
          {trouble}
        </span>
      )}
    </p>
  );
}
