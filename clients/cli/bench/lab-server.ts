/** The real thing to be measured: the server as main.ts starts it, on any free port. */
import { DEFAULT_CONFIG } from '../../../server/app/config.ts';
import { startServer } from '../../../server/app/start-server.ts';
import { serveBench } from './server-process.ts';

const server = await startServer({ ...DEFAULT_CONFIG, port: 0, logLevel: 'warn' });
serveBench(server.webSocketUrl);
