import { UacpFramer } from "#wire/opcua/framer.ts";
import { decodeSymmetricChunk } from "#wire/opcua/message-chunk.ts";
import { decodeResponse, type UaResponse } from "#wire/opcua/response.ts";
import { STATUS_CODES } from "#wire/opcua/status-code.ts";
import type { UaBench } from "./ua-bench.ts";

/** What has reached the server when a channel is open. */
export const OPENED = ["HEL", "OPN"];

/** Services of the answers that the client was given, refusals by status with their status; `ERR` for an error message. */
export function answered(bench: UaBench): readonly string[] {
  return new UacpFramer().push(Buffer.concat(bench.output.down)).flatMap((frame) => {
    if (frame.type !== "MSG") return frame.type;
    const chunk = decodeSymmetricChunk(frame.bytes);
    const response = chunk.ok && chunk.value.chunkType === "F" ? decodeResponse(chunk.value.body) : undefined;
    return response?.ok ? inWords(response.value) : [];
  });
}

/** `Write BadOutOfRange BadOperationAbandoned`; the service alone where nothing was refused. */
function inWords(response: UaResponse): string {
  const codes =
    response.service === "Write"
      ? response.results
      : response.service === "Call" || response.service === "CreateMonitoredItems"
        ? response.results.map(({ statusCode }) => statusCode)
        : response.service === "Read"
          ? response.results.map(({ statusCode = 0 }) => statusCode)
          : [];
  const names = codes.flatMap((code) => Object.entries(STATUS_CODES).find(([, value]) => value === code)?.[0] ?? []);
  return names.every((name) => name === "Good") ? response.service : [response.service, ...names].join(" ");
}
