import { EXAMPLE_SESSION, type ExampleFrame } from '../example-session.ts';
import { fenced, paragraphs } from '../markdown.ts';

export function exampleChapter(): string {
  return paragraphs([
    '## A session from beginning to end',
    `
A CPU thread maps and writes a page; a device faults on it and reads it by DMA; the CPU unmaps it, and the
device is asked to let go of it before the CPU gets its answer. \`>\` is what a client sends, \`<\` what the
server sends. Texts in angle brackets are values of that run.
`,
    fenced('', EXAMPLE_SESSION.map(shown).join('\n')),
  ]);
}

function shown({ client, from, frame, pages, note }: ExampleFrame): string {
  const text = JSON.stringify(frame).replaceAll(/"(<\w+>)"/g, '$1');
  const arrow = from === 'client' ? '>' : '<';
  const contents = pages === undefined ? '' : `   (binary, page: u64 ${pages.join(', ')})`;
  const remark = note === undefined ? '' : `           ${note}:\n`;
  return `${remark}${client} ${arrow} ${text}${contents}`;
}
