import { SUBPROTOCOL } from '../../server/protocol/limits.ts';

/** The part of a WebSocket that we use: that of browsers, of Node's own and of the package `ws`. */
export interface SocketLike {
  binaryType: string;
  readonly protocol: string;
  readonly bufferedAmount: number;
  send(frame: string | Uint8Array<ArrayBuffer>): void;
  close(code?: number, reason?: string): void;
  onopen: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
}

/** Makes a connecting socket. */
export type SocketFactory = (url: string, subprotocol: string) => SocketLike;

export interface SocketListener {
  readonly opened: () => void;
  readonly arrived: (message: string | Uint8Array) => void;
  /** Once, last. */
  readonly closed: (code: number, reason: string) => void;
}

/** The runtime's own WebSocket: Node 22 and newer, and browsers. */
export const globalSocket: SocketFactory = (url, subprotocol) => new WebSocket(url, subprotocol);

/** Opens a socket and calls `listener` for its life, whichever WebSocket it is. */
export function openSocket(url: string, make: SocketFactory, listener: SocketListener): SocketLike {
  const socket = make(url, SUBPROTOCOL);
  socket.binaryType = 'arraybuffer';
  socket.onopen = () => listener.opened();
  socket.onmessage = (event: { readonly data: string | ArrayBuffer }) => {
    const { data } = event;
    listener.arrived(typeof data === 'string' ? data : new Uint8Array(data));
  };
  // An error is always followed by the close, which says more.
  socket.onerror = () => undefined;
  socket.onclose = (event: { readonly code: number; readonly reason: string }) => {
    listener.closed(event.code, event.reason);
  };
  return socket;
}
