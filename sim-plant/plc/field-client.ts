import { connect, type Socket } from "node:net";
import { readJsonLines, writeJsonLine } from "#plc-guard/json-lines.ts";
import type { DeviceId, TagId } from "#specs/ids.ts";
import type { Endpoint } from "../address-plan.ts";
import { type FieldTick, readFieldTick } from "../plant/field-messages.ts";

export interface FieldClientOptions {
  readonly at: Endpoint;
  readonly device: DeviceId;
  /** One scan: what the field shows goes in, the output image comes out. */
  readonly scan: (tick: FieldTick) => ReadonlyMap<TagId, number>;
  readonly log: (says: string) => void;
}

const MAX_LINE_BYTES = 16 * 1024;
const RETRY_MS = 300;

/** A PLC's end of the field wiring. It connects again whenever the wiring is lost; without it no scan runs. */
export function openField(options: FieldClientOptions): { close(): void } {
  let socket: Socket | undefined;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  let saidLost = false;

  /** A scan with inputs missing is left out: the output image stays as it is, and the field sees no answer. */
  function scanned(tick: FieldTick): ReadonlyMap<TagId, number> | undefined {
    try {
      return options.scan(tick);
    } catch (error) {
      options.log(
        `scan ${tick.tick} of ${options.device} failed (${error instanceof Error ? error.message : String(error)})`,
      );
      return undefined;
    }
  }

  function open(): void {
    socket = connect({ host: options.at.host, port: options.at.port, noDelay: true });
    const current = socket;
    current.on("connect", () => {
      saidLost = false;
      options.log(`field wiring of ${options.device} connected`);
      writeJsonLine(current, { join: options.device });
    });
    readJsonLines(current, {
      maxLineBytes: MAX_LINE_BYTES,
      onValue: (value) => {
        const tick = readFieldTick(value);
        if (tick === undefined) return options.log("a message on the field wiring was refused: it is not a scan");
        const outputs = scanned(tick);
        if (outputs !== undefined) writeJsonLine(current, { tick: tick.tick, outputs: Object.fromEntries(outputs) });
      },
    });
    current.on("error", () => undefined);
    current.on("close", () => {
      if (closed) return;
      if (!saidLost) options.log(`field wiring of ${options.device} lost; trying again`);
      saidLost = true;
      timer = setTimeout(open, RETRY_MS);
    });
  }

  open();
  return {
    close() {
      closed = true;
      clearTimeout(timer);
      socket?.destroy();
    },
  };
}
