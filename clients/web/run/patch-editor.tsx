import { useState } from 'preact/hooks';
import { PATCH_CHARS_MAX } from '../../../server/protocol/http-api.ts';
import { sentenceOf, serverApi } from '../server-api.ts';
import { useLoaded } from '../shell/loaded.ts';

/** The function that the first argument was about. */
const FIRST_FUNCTION = 'migrateVmaPages';

export interface PatchEditorProps {
  /** 'none': the patch is one that ships. */
  readonly code: string | 'none';
  readonly onCode: (code: string | 'none') => void;
}

/** A kernel function to be changed by hand. It runs on the server, so only where that trusts who asks. */
export function PatchEditor({ code, onCode }: PatchEditorProps) {
  const [functions] = useLoaded(serverApi.functions);
  const [chosen, setChosen] = useState(FIRST_FUNCTION);
  const [trouble, setTrouble] = useState('');
  const begin = async () => {
    try {
      const { text } = await serverApi.functionText(chosen);
      onCode(text);
      setTrouble('');
    } catch (error) {
      setTrouble(sentenceOf(error));
    }
  };
  const names = functions.state === 'there' ? functions.value.functions : [chosen];
  return (
    <section className="stack card" aria-label="A patch of your own">
      <div className="token">
        <label>
          <span className="label">Or a patch of your own, of</span>
          <select value={chosen} onChange={({ currentTarget }) => setChosen(currentTarget.value)}>
            {names.map((name) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
        </label>
        <button type="button" onClick={() => begin().catch(() => undefined)}>
          {code === 'none' ? 'Write it' : 'Begin with this one instead'}
        </button>
      </div>
      {code === 'none' ? null : (
        <>
          <label>
            <span className="label">The patch: TypeScript, run on this server</span>
            <textarea
              className="mono scenario-text"
              rows={26}
              maxLength={PATCH_CHARS_MAX}
              spellcheck={false}
              value={code}
              onInput={({ currentTarget }) => onCode(currentTarget.value)}
            />
          </label>
          <button type="button" onClick={() => onCode('none')}>
            Back to the patches that ship
          </button>
        </>
      )}
      {trouble === '' ? null : (
        <p className="note alarm" role="alert">
          {trouble}
        </p>
      )}
    </section>
  );
}
