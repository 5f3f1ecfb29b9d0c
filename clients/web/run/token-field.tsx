import { useState } from 'preact/hooks';
import type { NewRun } from '../../../server/protocol/http-api.ts';
import { usePasted } from '../recording/use-pasted.ts';
import { sentenceOf, serverApi } from '../server-api.ts';

/** A counterexample out of a mail: its question is asked again here. */
export function TokenField({ onQuestion }: { readonly onQuestion: (question: NewRun) => void }) {
  const [token, setToken] = useState('');
  const [trouble, setTrouble] = useState('');
  const read = async (asked = token) => {
    try {
      const { question } = await serverApi.readToken(asked);
      onQuestion(question);
    } catch (error) {
      setTrouble(sentenceOf(error));
    }
  };
  usePasted('mmr1.', (pasted) => {
    setToken(pasted.trim());
    read(pasted.trim()).catch(() => undefined);
  });
  return (
    <form
      className="card token"
      onSubmit={(event) => {
        event.preventDefault();
        read().catch(() => undefined);
      }}
    >
      <label>
        <span className="label">Or a counterexample that you were sent</span>
        <input
          className="mono"
          value={token}
          spellcheck={false}
          autoComplete="off"
          placeholder="mmr1.…"
          onInput={({ currentTarget }) => setToken(currentTarget.value.trim())}
        />
      </label>
      <button type="submit" disabled={token === ''}>
        Ask its question here
      </button>
      {trouble === '' ? null : (
        <p className="note alarm" role="alert">
          {trouble}
        </p>
      )}
    </form>
  );
}
