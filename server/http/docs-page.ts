/** The OpenAPI document as one self-contained page: no script, no other file. */
import { escapeHtml } from '../report/stepper/escape-html.ts';
import { schemaText } from './schema-text.ts';

interface Operation {
  readonly summary?: string;
  readonly description?: string;
  readonly tags?: readonly string[];
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: string;
    readonly schema?: object;
    readonly description?: string;
  }[];
  readonly requestBody?: { readonly content?: Content };
  readonly responses?: {
    readonly [status: string]: { readonly content?: Content };
  };
}

interface Content {
  readonly [type: string]: { readonly schema?: object };
}

export interface OpenApi {
  readonly info: {
    readonly title: string;
    readonly version: string;
    readonly description?: string;
  };
  readonly tags?: readonly { readonly name: string; readonly description?: string }[];
  readonly paths?: { readonly [path: string]: unknown };
}

interface Entry {
  readonly path: string;
  readonly method: string;
  readonly operation: Operation;
}

const METHODS = ['get', 'post', 'put', 'delete'];

export function docsPage(document: OpenApi): string {
  const { info, tags = [] } = document;
  const entries = entriesOf(document);
  const chapters = tags.map(({ name, description = '' }) => {
    const own = entries.filter(({ operation }) => operation.tags?.includes(name));
    if (own.length === 0) return '';
    return `<h2>${escapeHtml(name)}</h2><p>${escapeHtml(description)}</p>${own.map(entryHtml).join('')}`;
  });
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(info.title)}: HTTP routes</title><style>${STYLE}</style></head>
<body><main><h1>${escapeHtml(info.title)} ${escapeHtml(info.version)}: HTTP routes</h1>
<p>${escapeHtml(info.description ?? '')}</p>
<p>The same for programs: <a href="/docs/json">/docs/json</a> (OpenAPI),
<a href="/asyncapi.json">/asyncapi.json</a> (the WebSocket protocol).</p>
${chapters.join('\n')}
</main></body></html>
`;
}

function entriesOf(document: OpenApi): Entry[] {
  return Object.entries(document.paths ?? {}).flatMap(([path, item]) =>
    Object.entries(item as { readonly [method: string]: Operation })
      .filter(([method]) => METHODS.includes(method))
      .map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
  );
}

function entryHtml({ path, method, operation }: Entry): string {
  const {
    summary = '',
    description = '',
    parameters = [],
    requestBody,
    responses = {},
  } = operation;
  const parts = [
    `<p>${escapeHtml(description)}</p>`,
    ...parameters.map(
      ({ name, in: where, schema = {}, description: said = '' }) =>
        `<h4>${escapeHtml(where)} <code>${escapeHtml(name)}</code></h4>` +
        `<pre>${escapeHtml(schemaText(schema))}</pre><p>${escapeHtml(said)}</p>`,
    ),
    ...contentHtml('body', requestBody?.content),
    ...Object.entries(responses)
      .filter(([status]) => !status.toUpperCase().endsWith('XX'))
      .flatMap(([status, { content }]) => contentHtml(`answers ${status}`, content)),
  ];
  const id = `${method}${path}`.replace(/[^A-Za-z0-9]+/g, '-').toLowerCase();
  return `<details id="${id}"><summary><b>${method}</b> <code>${escapeHtml(path)}</code>
<span>${escapeHtml(summary)}</span></summary>${parts.join('')}</details>`;
}

function contentHtml(title: string, content: Content = {}): string[] {
  return Object.entries(content).map(
    ([type, { schema = {} }]) =>
      `<h4>${escapeHtml(title)} <small>${escapeHtml(type)}</small></h4>` +
      `<pre>${escapeHtml(schemaText(schema))}</pre>`,
  );
}

const STYLE = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 60rem; margin: 0 auto; padding: 1rem; }
code, pre { font: 0.9em/1.45 ui-monospace, monospace; }
pre { overflow-x: auto; padding: 0.75rem; background: light-dark(#f2f2f0, #22252a); }
details { border-top: 1px solid light-dark(#bbb, #555); padding: 0.5rem 0; }
summary { cursor: pointer; }
summary b { display: inline-block; min-width: 4.5rem; }
summary span { display: block; margin-left: 4.5rem; }
h4 { margin: 0.75rem 0 0.25rem; }
`;
