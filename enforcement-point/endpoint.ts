/** A TCP address as people write it on a command line. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** @throws Error in one sentence when `text` is not `HOST:PORT` with a port of 1..65535 */
export function endpoint(text: string): Endpoint {
  const match = /^([A-Za-z0-9_.-]+|\[[0-9A-Fa-f:]+\]):(\d{1,5})$/.exec(text);
  const host = match?.[1]?.replace(/^\[|\]$/g, "");
  const port = Number(match?.[2]);
  if (host === undefined || !(port >= 1 && port <= 65_535)) {
    throw new Error(`\`${text}\` is not an address; write HOST:PORT with a port of 1..65535`);
  }
  return { host, port };
}
