/** The real thing to be measured: the server as main.ts starts it, on any free port, with what MMRACE_* says. */
import { configFrom } from '../../../server/app/config.ts';
import { startServer } from '../../../server/app/start-server.ts';
import { serveBench } from './server-process.ts';

const config = configFrom(process.env);
const server = await startServer({ ...config, port: 0, logLevel: 'warn' });
serveBench(server.webSocketUrl);
