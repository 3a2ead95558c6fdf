import { expect, test } from "vitest";
import { ModbusTags } from "#point/observe/modbus-tags.ts";
import { DeviceId } from "#specs/ids.ts";
import { misfit } from "#switch-filter/modbus-slot.ts";
import { decodeRequest, decodeResponse } from "#wire/modbus/index.ts";
import { CANOPEN, openPlant } from "./modbus-open-plant.ts";
import { hex } from "./raw-client.ts";

/** The answers of named functions have the length that the plant declares; of 43 by its MEI type, which counts. */
const tags = new ModbusTags(openPlant(undefined, [CANOPEN]).plant, DeviceId("plc-1"));

test.each([
  { name: "a named function", ask: "41 0102", answer: "41 0304", fits: true },
  { name: "one byte short", ask: "41 0102", answer: "41 03", fits: false },
  { name: "one byte over", ask: "41 0102", answer: "41 030405", fits: false },
  { name: "CANopen", ask: "2b 0d 0102", answer: "2b 0d 030405", fits: true },
  { name: "CANopen, one byte short", ask: "2b 0d 0102", answer: "2b 0d 0304", fits: false },
  { name: "CANopen, one byte over", ask: "2b 0d 0102", answer: "2b 0d 03040506", fits: false },
  { name: "another MEI type, of which nothing is declared", ask: "2b 0c 01", answer: "2b 0c 0102030405", fits: true },
  {
    name: "identification, whose form is known",
    ask: "2b 0e 01 00",
    answer: "2b 0e 01 01 00 00 01 00 01 41",
    fits: true,
  },
])("$name: fits, $fits", ({ ask, answer, fits }) => {
  const request = decodeRequest(hex(ask));
  if (!request.ok) throw new Error("the request is malformed");
  const response = decodeResponse(hex(answer), request.value);
  if (!response.ok) throw new Error("the answer is malformed");
  const problem = misfit(tags, request.value, response.value);
  if (fits) expect(problem).toBeUndefined();
  else expect(problem).toMatch(/is answered with \d+ bytes, and (2 to 2|4 to 4) are declared/);
});
