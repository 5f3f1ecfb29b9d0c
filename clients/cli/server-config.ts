/** How a command's server is set up: flags win over MMRACE_*, those over the folder's file, that over the defaults. */
import { ConfigError, configFrom, type ServerConfig } from '../../server/app/config.ts';
import { StartFailure } from '../../server/app/start-failure.ts';
import { environmentWithFile } from './config/config-file.ts';
import { UsageError } from './failure.ts';

/** What was given on the command line. */
export type ServerFlags = { readonly [Key in keyof ServerConfig]?: ServerConfig[Key] | undefined };

/** Rejects: UsageError. */
export async function serverConfig(flags: ServerFlags): Promise<ServerConfig> {
  const environment = await environmentWithFile(process.env, process.cwd());
  try {
    const config = configFrom(environment);
    const given = Object.entries(flags).filter(([, value]) => value !== undefined);
    return { ...config, ...Object.fromEntries(given) };
  } catch (error) {
    if (error instanceof ConfigError) throw new UsageError(error.message, { cause: error });
    throw error;
  }
}

/** The message when a server could not start. Other errors stay as they are. */
export function asUsageError(error: unknown): unknown {
  return error instanceof StartFailure ? new UsageError(error.message, { cause: error }) : error;
}
