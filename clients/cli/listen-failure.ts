import { UsageError } from './failure.ts';

/** What a person is told when a server could not start to listen. Other errors stay as they are. */
export function listenFailure(
  { host, port }: { readonly host: string; readonly port: number },
  error: unknown,
): unknown {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  switch (code) {
    case 'EADDRINUSE':
      return new UsageError(
        `port ${port} of ${host} is in use; choose another with --port, or end whoever has it`,
        { cause: error },
      );
    case 'EACCES':
      return new UsageError(`port ${port} of ${host} is not yours to take`, { cause: error });
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return new UsageError(`this machine has no address ${host}`, { cause: error });
    default:
      return error;
  }
}
