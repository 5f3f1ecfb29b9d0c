/** The HTTP face of the server. Built without listening, so that tests inject. */
import type { IncomingMessage } from 'node:http';
import helmet from '@fastify/helmet';
import fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyRequest,
  LogController,
} from 'fastify';
import { NOT_DURABLE, type Safety } from '../journal/durability.ts';
import { ALONE, type Elsewhere } from '../live/elsewhere.ts';
import type { Lab } from '../live/lab.ts';
import type { Labs } from '../live/labs.ts';
import { HTTP_BODY_BYTES_MAX, HTTP_REQUEST_MS } from '../protocol/http-api.ts';
import { WEBSOCKET_PATH } from '../protocol/server-address.ts';
import type { Runs } from '../verify/runs/runs.ts';
import { addAsyncApiRoute } from './asyncapi-route.ts';
import { addCampaignRoutes, type CampaignShelf } from './campaigns.ts';
import { checkBodies } from './checked-bodies.ts';
import { addDocs } from './docs.ts';
import { sendElsewhere } from './elsewhere.ts';
import { answerErrors } from './error-answers.ts';
import { isSameHost, refuseForeignPages } from './foreign-pages.ts';
import { addGuideRoute } from './guide.ts';
import { addHealthRoutes, type HealthOptions } from './health.ts';
import { isKnownHost, refuseUnknownHosts } from './known-hosts.ts';
import { addControlRoute, addCueRoute, addPerformanceRoute, addVoteRoute } from './lab-control.ts';
import { addLabCoverageRoute } from './lab-coverage.ts';
import { addLabEventsRoute } from './lab-events.ts';
import { addLabHistoryRoute, type History } from './lab-history.ts';
import { addLabRoutes } from './labs.ts';
import { boundLoad, type LoadOptions } from './load.ts';
import { addPage } from './page.ts';
import { addRecordingRoute } from './recordings.ts';
import { nameRequests, requestId } from './request-log.ts';
import { addRunRoutes } from './runs.ts';
import { addScenarioRoutes, ScenarioShelf } from './scenarios.ts';
import { needToken } from './token.ts';
import { answerUnknownPaths } from './unknown-paths.ts';

export interface AppOptions extends HealthOptions, LoadOptions {
  readonly runs: Runs;
  /** Names, beside localhost and addresses, under which clients may reach the server. */
  readonly hostNames: readonly string[];
  readonly log: FastifyBaseLogger;
  /** Whether answers wait until what they say is on the disk. Not, unless said. */
  readonly durability?: Safety;
  /** Other servers that keep the same labs. None, unless said. */
  readonly elsewhere?: Elsewhere;
  /** Of labs that are recorded. */
  readonly history?: History;
  /** What is known of campaigns; absent: the server has no Redis. */
  readonly campaigns?: CampaignShelf;
  /** Whether runs may bring code. Not, unless said. */
  readonly ownCode?: 'taken' | 'refused';
  /** Without one, everybody who reaches the server may open labs. */
  readonly token?: string;
  /** Where the page was built; absent: where the build puts it. */
  readonly pageFolder?: string;
}

/**
 * The page and the documents have policies of their own for content. What browsers take for https alone is left out:
 * the server speaks http.
 */
const HEADERS = {
  contentSecurityPolicy: false,
  strictTransportSecurity: false,
  crossOriginOpenerPolicy: false,
  originAgentCluster: false,
  frameguard: { action: 'deny' },
} as const;

/** The routes, and the WebSocket upgrade on WEBSOCKET_PATH. The caller lets it listen. */
export function buildApp(options: AppOptions): FastifyInstance {
  const { gateway, labs, runs, readiness, log, ownCode = 'refused' } = options;
  const app = fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: HTTP_BODY_BYTES_MAX,
    genReqId: requestId,
    // A client that keeps an idle connection must not keep the server from ending.
    forceCloseConnections: 'idle',
    // One that sends half a request must not keep its connection.
    requestTimeout: HTTP_REQUEST_MS,
    http: { headersTimeout: HTTP_REQUEST_MS, connectionsCheckingInterval: HTTP_REQUEST_MS / 5 },
  });
  if (options.durability !== undefined) answerWhenSafe(app, labs, options.durability);
  app.register(helmet, HEADERS);
  checkBodies(app);
  answerErrors(app);
  answerUnknownPaths(app, addPage(app, options.pageFolder));
  nameRequests(app);
  boundLoad(app, gateway, options);
  refuseUnknownHosts(app, options.hostNames);
  refuseForeignPages(app);
  const joinBy = options.token === undefined ? 'name' : 'code';
  const { elsewhere = ALONE } = options;
  sendElsewhere(app, labs, elsewhere, joinBy);
  if (options.token !== undefined) needToken(app, labs, options.token);
  addDocs(app, options.model.version);
  app.register(async (routes) => {
    const shelf = new ScenarioShelf();
    addHealthRoutes(routes, options);
    addGuideRoute(routes);
    addScenarioRoutes(routes, shelf, ownCode);
    addLabRoutes(routes, { labs, shelf, runs, readiness, joinBy, elsewhere });
    addControlRoute(routes, labs, joinBy);
    addPerformanceRoute(routes, labs);
    addVoteRoute(routes, labs);
    addCueRoute(routes, labs);
    addLabCoverageRoute(routes, labs);
    addLabEventsRoute(routes, labs, options.durability ?? NOT_DURABLE);
    addLabHistoryRoute(routes, labs, options.history ?? 'none');
    addRecordingRoute(routes, options.history ?? 'none');
    addCampaignRoutes(routes, options.campaigns ?? 'none');
    addRunRoutes(routes, { runs, shelf, labs, readiness, ownCode });
    addAsyncApiRoute(routes, { version: options.model.version, path: WEBSOCKET_PATH });
  });

  app.server.on('upgrade', (request, socket, head) => {
    // Node has let go of the socket: without a listener, a client that resets it would end the process.
    socket.on('error', () => socket.destroy());
    const refusal = upgradeRefusal(request, options.hostNames);
    const full = gateway.fullFor(request.socket.remoteAddress ?? '');
    if (refusal !== 'none') socket.end(plainAnswer(refusal, ''));
    else if (full === 'none') gateway.upgrade(request, socket, head);
    else {
      gateway.countLimit(full);
      socket.end(plainAnswer('429 Too Many Requests', `${full}\n`));
    }
  });
  return app;
}

/** What is said of a lab that another server has meanwhile is not said: whether it came about, nobody knows here. */
function answerWhenSafe(app: FastifyInstance, labs: Labs, safety: Safety): void {
  const asked = new WeakMap<FastifyRequest, Lab>();
  app.addHook('onRequest', (request, _reply, done) => {
    const { lab: named = '' } = (request.params ?? {}) as { readonly lab?: string };
    const lab = labs.find(named);
    if (lab !== 'none') asked.set(request, lab);
    done();
  });
  app.addHook('onSend', (request, reply, payload, done) => {
    if (!request.url.startsWith('/api/')) {
      done(null, payload);
      return;
    }
    const lab = asked.get(request);
    const answer = () => {
      if (lab !== undefined && labs.lost.has(lab)) reply.raw.destroy();
      else done(null, payload);
    };
    if (safety.whenSafe(answer) === 'now') answer();
  });
}

/**
 * A page of another origin may open a WebSocket to any address that its visitor reaches, this one included. So a
 * browser is let in only with a page from the same host. Programs send no Origin.
 */
export function upgradeRefusal(
  { url, headers: { origin, host } }: Pick<IncomingMessage, 'url' | 'headers'>,
  hostNames: readonly string[],
): '403 Forbidden' | '404 Not Found' | '421 Misdirected Request' | 'none' {
  if (!isKnownHost(host, hostNames)) return '421 Misdirected Request';
  if (url?.split('?')[0] !== WEBSOCKET_PATH) return '404 Not Found';
  if (origin === undefined) return 'none';
  return isSameHost(origin, host) ? 'none' : '403 Forbidden';
}

function plainAnswer(status: string, body: string): string {
  const head = ['Connection: close', 'Content-Type: text/plain', `Content-Length: ${body.length}`];
  return [`HTTP/1.1 ${status}`, ...head, '', body].join('\r\n');
}
