import type { Socket } from "node:net";

const NEWLINE = 0x0a;

export interface JsonLineHandlers {
  /** Longest line that is read, in bytes without its end. A longer one ends the connection. */
  readonly maxLineBytes: number;
  readonly onValue: (value: unknown) => void;
  /** A line was too long or no JSON; the connection is being closed. */
  readonly onBad?: (says: string) => void;
}

/** Reads one JSON value per line. Memory is bounded by the longest line; the first bad line closes the connection. */
export function readJsonLines(socket: Socket, handlers: JsonLineHandlers): void {
  let held: Buffer[] = [];
  let heldBytes = 0;
  const refuse = (says: string): void => {
    held = [];
    heldBytes = 0;
    handlers.onBad?.(says);
    socket.destroy();
  };
  socket.on("data", (chunk: Buffer) => {
    let at = 0;
    while (at < chunk.length && !socket.destroyed) {
      const newline = chunk.indexOf(NEWLINE, at);
      const end = newline === -1 ? chunk.length : newline;
      heldBytes += end - at;
      if (heldBytes > handlers.maxLineBytes) return refuse(`a line is longer than ${handlers.maxLineBytes} bytes`);
      held.push(chunk.subarray(at, end));
      at = end + 1;
      if (newline === -1) return;
      const text = Buffer.concat(held).toString("utf8");
      held = [];
      heldBytes = 0;
      const value = parseJson(text);
      if (value === undefined) return refuse("a line is not JSON");
      handlers.onValue(value);
    }
  });
}

export function writeJsonLine(socket: Socket, value: object): void {
  if (!socket.destroyed && socket.writable) socket.write(`${JSON.stringify(value)}\n`);
}

/** undefined: not JSON. (No JSON text means `undefined`.) */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
