/** Where WebSockets are opened on a server. */
export const WEBSOCKET_PATH = '/ws';

/** `ws://10.0.0.2:7070/ws` of `http://10.0.0.2:7070`. */
export function webSocketAddress(server: string): string {
  return `${server.replace(/^http/, 'ws').replace(/\/$/, '')}${WEBSOCKET_PATH}`;
}

/** The other way round. */
export function serverAddress(webSocket: string): string {
  return webSocket.replace(/^ws/, 'http').replace(/\/ws$/, '');
}
