/** What can be seen of servers: the port that one would take, the address where one should be. */
import { createServer } from 'node:net';
import { ConfigError, configFrom, type ServerConfig } from '../../../server/app/config.ts';
import { recordingProblem } from '../../../server/app/recording-problem.ts';
import type { Environment } from '../config/config-file.ts';
import { type Reached, reach, reachProblem } from '../reach-server.ts';
import { type Checked, fine, ill, nothingToCheck } from './check.ts';

/** The environment, the file behind it. */
export async function checkServer(environment: Environment): Promise<readonly Checked[]> {
  let config: ServerConfig;
  try {
    config = configFrom(environment);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return [ill('settings', error.message, 'Correct the variable, or unset it.')];
  }
  return [await checkPort(config), await checkRecording(config)];
}

/** Free, or taken by a server of ours. */
export async function checkPort({
  host,
  port,
}: Pick<ServerConfig, 'host' | 'port'>): Promise<Checked> {
  const name = 'port';
  if (port === 0) return nothingToCheck(name, 'any free one is taken');
  const problem = await listenProblem(host, port);
  if (problem === 'none') return fine(name, `${port} of ${host} is free`);
  if (problem !== 'EADDRINUSE') {
    return ill(name, `${host}:${port}: ${problem}`, 'Choose another with --host and --port.');
  }
  const reached = await reach(`ws://${host.includes(':') ? `[${host}]` : host}:${port}/ws`);
  if (reached.kind === 'mmrace' || reached.kind === 'other-protocol') {
    return fine(name, `${port} of ${host} is taken by mmrace ${reached.server.version}`);
  }
  const remedy = 'Choose another with --port or MMRACE_PORT, or end the program that has it.';
  return ill(name, `${port} of ${host} is in use by something else`, remedy);
}

function listenProblem(host: string, port: number): Promise<string> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    probe.listen(port, host, () => probe.close(() => resolve('none')));
  });
}

async function checkRecording({ recordTo }: ServerConfig): Promise<Checked> {
  if (recordTo === 'nowhere') return nothingToCheck('record', 'labs are not recorded');
  const problem = await recordingProblem(recordTo);
  if (problem === 'none') return fine('record', `${recordTo} can be written`);
  return ill(
    'record',
    problem,
    'Make the folder, or choose another with --record or MMRACE_RECORD.',
  );
}

/** `asked`: an option says where a server is, so one has to be there. */
export async function checkReach(
  url: string,
  asked: 'asked' | 'default',
  ownHash: () => string,
): Promise<Checked> {
  const name = 'server';
  const reached = await reach(url);
  if (reached.kind === 'mmrace') return fine(name, greeting(url, reached, ownHash()));
  if (reached.kind === 'no server' && asked === 'default') {
    return nothingToCheck(name, `none runs at ${url}; npx mmrace serve starts one`);
  }
  return ill(name, reachProblem(url, reached), 'mmrace config says where the address comes from.');
}

function greeting(
  url: string,
  { server }: Extract<Reached, { kind: 'mmrace' }>,
  ownHash: string,
): string {
  const same = server.modelHash === ownHash;
  const model = same ? 'the same kernel as here' : 'another kernel model than here';
  return `${url} answers: ${server.protocol}, mmrace ${server.version}, ${model}`;
}
