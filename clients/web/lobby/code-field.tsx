import { useState } from 'preact/hooks';
import { goTo } from '../shell/navigation.ts';
import { typedCode } from './typed-code.ts';

/** A field for the code of a lab, or for anything that leads to one. */
export function CodeField() {
  const [text, setText] = useState('');
  return (
    <form
      className="code-field"
      onSubmit={(event) => {
        event.preventDefault();
        const code = typedCode(text);
        if (code !== '') goTo({ view: 'join', code });
      }}
    >
      <label className="hide-narrow" for="code">
        You have a code?
      </label>
      <input
        id="code"
        className="code"
        value={text}
        placeholder="CODE"
        aria-label="Join code"
        autoCapitalize="characters"
        autoComplete="off"
        autoCorrect="off"
        spellcheck={false}
        enterKeyHint="go"
        onInput={({ currentTarget }) => setText(currentTarget.value)}
      />
      <button type="submit">Join</button>
    </form>
  );
}
