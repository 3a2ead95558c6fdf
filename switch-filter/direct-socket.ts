import { Socket, type SocketConstructorOpts } from "node:net";

/** What one read takes at most. Every read of every direct socket goes into this buffer, and is copied from it in its own size. */
const READ_BYTES = 64 * 1024;
const shared = Buffer.allocUnsafeSlow(READ_BYTES);

/** `pauseOnCreate` is what Node itself gives the sockets of connections that a server accepts; its types do not know it. */
type AcceptedOptions = SocketConstructorOpts & { readonly pauseOnCreate?: boolean };

/**
 * A TCP socket whose bytes arrive by a call instead of a stream's events, and without a buffer of 64 KiB that is made for each read and
 * thrown away. That is half of what a relay costs in Node: bench/README.md.
 */
export class DirectSocket extends Socket {
  /** Each chunk is the taker's own: nothing writes into it afterwards. */
  onBytes: (chunk: Buffer) => void = () => undefined;

  constructor(options: AcceptedOptions = {}) {
    super({
      ...options,
      onread: {
        buffer: shared,
        callback: (length) => {
          const chunk = Buffer.allocUnsafe(length);
          shared.copy(chunk, 0, 0, length);
          this.onBytes(chunk);
          return true;
        },
      },
    });
  }
}

/**
 * The same connection as a direct socket, paused. Node offers `onread` for sockets that dial, and not for those that a server accepts:
 * the connection changes its socket object, in the way in which Node hands one to another process. Where that way is closed, the socket
 * that was given comes back, and works by events.
 *
 * @param accepted paused, just accepted, without listeners
 */
export function direct(accepted: Socket): Socket {
  const handle = takenFrom(accepted);
  if (handle === undefined) return accepted;
  const options: AcceptedOptions = { handle, pauseOnCreate: true, allowHalfOpen: accepted.allowHalfOpen };
  const socket = new DirectSocket(options);
  accepted.destroy();
  return socket;
}

type Handle = NonNullable<SocketConstructorOpts["handle"]>;

/** The connection below a socket, which has none afterwards; undefined, and nothing is taken: Node keeps it elsewhere, or otherwise. */
function takenFrom(socket: Socket): Handle | undefined {
  if (!("_handle" in socket)) return undefined;
  const { _handle: handle } = socket;
  if (!isHandle(handle)) return undefined;
  socket._handle = null;
  return handle;
}

function isHandle(value: unknown): value is Handle {
  return typeof value === "object" && value !== null && "useUserBuffer" in value;
}
