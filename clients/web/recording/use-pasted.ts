import { useLayoutEffect } from 'preact/hooks';

/** Takes what is pasted anywhere in the view, if it `begins` so; all else goes where it was pasted. */
export function usePasted(begins: string, onText: (text: string) => void): void {
  // Not after the paint: what is pasted as soon as the view is seen must not be lost.
  useLayoutEffect(() => {
    const hear = (event: ClipboardEvent) => {
      const text = event.clipboardData?.getData('text/plain').trimStart() ?? '';
      if (!text.startsWith(begins)) return;
      event.preventDefault();
      onText(text);
    };
    document.addEventListener('paste', hear);
    return () => document.removeEventListener('paste', hear);
  }, [begins, onText]);
}
