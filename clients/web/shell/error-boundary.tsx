import { Component, type ComponentChildren, type ErrorInfo } from 'preact';
import { sentenceOf } from '../server-api.ts';

interface ErrorBoundaryState {
  readonly error: unknown;
}

/** A bug of the page's own: says so, and how to go on. What the server has is not touched by it. */
export class ErrorBoundary extends Component<
  { readonly children: ComponentChildren },
  ErrorBoundaryState
> {
  override state: ErrorBoundaryState = { error: undefined };

  static override getDerivedStateFromError(error: unknown): ErrorBoundaryState {
    return { error };
  }

  override componentDidCatch(error: unknown, info: ErrorInfo): void {
    reportError(new Error(`the page failed${info.componentStack ?? ''}`, { cause: error }));
  }

  override render(): ComponentChildren {
    const { error } = this.state;
    if (error === undefined) return this.props.children;
    return (
      <main className="content stack">
        <h1>The page has a bug and stands still</h1>
        <p className="lead">The lab goes on without it. Load the page again to go on watching.</p>
        <p className="note alarm mono">{sentenceOf(error)}</p>
        <p>
          <button type="button" className="primary" onClick={() => location.reload()}>
            Load again
          </button>
        </p>
      </main>
    );
  }
}
