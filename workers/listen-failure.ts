/** A socket of the daemon that could not be opened: which one, where, and why. It crosses threads as plain data. */
import { type Endpoint, endpointText } from '../engine/config/endpoint.ts';
import type { ListenAddress } from './delivery/client-listener.ts';

/** What the socket is for; `ring`: datagrams between daemons and of monitors. */
export type ListenPurpose = 'tcp' | 'tls' | 'unix' | 'websocket' | 'websocket-tls' | 'http' | 'http-tls' | 'ring';

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program uses it, perhaps another daemon',
  EADDRNOTAVAIL:
    'it is not an address of this machine; -n chooses the right entry of a configuration, and the interface must be up before the daemon starts',
  EACCES: 'this user may not',
  EPERM: 'this user may not',
  ENODEV: 'no interface of this machine has that address',
};

/** `EADDRINUSE, another program uses it`, or what the system said. */
export function socketReason(error: unknown): string {
  const { code = '', message } = error as NodeJS.ErrnoException;
  const reason = REASONS[code];
  return reason === undefined ? message : `${code}, ${reason}`;
}

export interface ListenFault {
  readonly purpose: ListenPurpose;
  /** `127.0.0.1:4803`, or the path of a Unix socket. */
  readonly address: string;
  /** Names the address and the reason. */
  readonly message: string;
  /** Of the system, such as `EADDRINUSE`; undefined: the daemon found the fault itself. */
  readonly code: string | undefined;
}

export class ListenFailure extends Error {
  override readonly name = 'ListenFailure';
  readonly purpose: ListenPurpose;
  readonly address: string;
  readonly code: string | undefined;

  constructor({ purpose, address, message, code }: ListenFault, options?: ErrorOptions) {
    super(message, options);
    this.purpose = purpose;
    this.address = address;
    this.code = code;
  }

  /** For another thread. */
  get fault(): ListenFault {
    const { purpose, address, message, code } = this;
    return { purpose, address, message, code };
  }
}

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code;

/** @param endpoint where a server over TCP was to listen */
export function endpointFailure(purpose: ListenPurpose, endpoint: Endpoint, error: unknown): ListenFailure {
  const address = endpointText(endpoint);
  const message = `cannot listen on ${address}: ${socketReason(error)}`;
  return new ListenFailure({ purpose, address, message, code: codeOf(error) }, { cause: error });
}

/** @param address where clients were to connect */
export function clientListenFailure(address: ListenAddress, error: unknown): ListenFailure {
  switch (address.kind) {
    case 'tcp':
    case 'tls':
    case 'websocket':
    case 'websocket-tls':
      return endpointFailure(address.kind, { host: address.host ?? '0.0.0.0', port: address.port }, error);
    case 'unix':
      return unixFailure(address.path, error);
    default:
      return sharedFailure(address, error);
  }
}

/** A further worker could not listen where the first one does. */
function sharedFailure(
  { of: purpose, fd }: Extract<ListenAddress, { readonly fd: number }>,
  error: unknown,
): ListenFailure {
  const address = `descriptor ${fd}`;
  const message = `cannot listen on ${address}: ${socketReason(error)}`;
  return new ListenFailure({ purpose, address, message, code: codeOf(error) });
}

function unixFailure(path: string, error: unknown): ListenFailure {
  const { message } = error as Error;
  const named = `unix socket ${path}: `;
  const text = message.startsWith(named) ? message : `${named}${socketReason(error)}`;
  return new ListenFailure({ purpose: 'unix', address: path, message: text, code: codeOf(error) }, { cause: error });
}

/** @param error of a UDP socket: its message names address and reason already */
export function ringFailure(endpoint: Endpoint, error: unknown): ListenFailure {
  const { message, cause } = error as Error;
  const address = endpointText(endpoint);
  return new ListenFailure({ purpose: 'ring', address, message, code: codeOf(cause ?? error) }, { cause: error });
}
