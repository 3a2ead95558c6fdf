import type { ModbusRequest, ModbusResponse } from "#wire/modbus/index.ts";
import { ascii } from "./ascii.ts";
import type { JsonBytes } from "./json-bytes.ts";

const KEY = {
  address: ascii(',"address":'),
  quantity: ascii(',"quantity":'),
  values: ascii(',"values":'),
  exception: ascii(',"exception":'),
  subFunction: ascii(',"subFunction":'),
  data: ascii(',"data":'),
  status: ascii(',"status":'),
  eventCount: ascii(',"eventCount":'),
  messageCount: ascii(',"messageCount":'),
  events: ascii(',"events":'),
  andMask: ascii(',"andMask":'),
  orMask: ascii(',"orMask":'),
  writeAddress: ascii(',"writeAddress":'),
  writeQuantity: ascii(',"writeQuantity":'),
  files: ascii(',"files":['),
  file: ascii('{"file":'),
  record: ascii(',"record":'),
  length: ascii(',"length":'),
  wordsOnly: ascii('{"values":'),
  mei: ascii(',"mei":'),
  readCode: ascii(',"readCode":'),
  objectId: ascii(',"objectId":'),
  conformity: ascii(',"conformity":'),
  nextObjectId: ascii(',"nextObjectId":'),
  objects: ascii(',"objects":['),
  id: ascii('{"id":'),
  value: ascii(',"value":'),
  comma: ascii(","),
  close: ascii("}"),
  closeList: ascii("]"),
} as const;

/** Status words of functions 11 and 12, as they are on the wire. */
const COMM_STATUS = { busy: 0xffff, ready: 0 } as const;

/** The fields of a request, `,"key":value` each; docs/decode.md names them. */
export function modbusRequestFields(json: JsonBytes, request: ModbusRequest): void {
  switch (request.kind) {
    case "read-coils":
    case "read-discrete-inputs":
    case "read-holding-registers":
    case "read-input-registers":
      json.raw(KEY.address).int(request.address).raw(KEY.quantity).int(request.quantity);
      return;
    case "write-single-coil":
      json
        .raw(KEY.address)
        .int(request.address)
        .raw(KEY.values)
        .ints([request.on ? 1 : 0]);
      return;
    case "write-single-register":
      json.raw(KEY.address).int(request.address).raw(KEY.values).ints([request.value]);
      return;
    case "write-multiple-coils":
      json.raw(KEY.address).int(request.address).raw(KEY.quantity).int(request.values.length);
      json.raw(KEY.values).bits(request.values);
      return;
    case "write-multiple-registers":
      json.raw(KEY.address).int(request.address).raw(KEY.quantity).int(request.values.length);
      json.raw(KEY.values).ints(request.values);
      return;
    case "read-write-multiple-registers":
      json.raw(KEY.address).int(request.readAddress).raw(KEY.quantity).int(request.readQuantity);
      json.raw(KEY.writeAddress).int(request.writeAddress).raw(KEY.writeQuantity).int(request.values.length);
      json.raw(KEY.values).ints(request.values);
      return;
    case "mask-write-register":
      json.raw(KEY.address).int(request.address).raw(KEY.andMask).int(request.andMask);
      json.raw(KEY.orMask).int(request.orMask);
      return;
    case "read-fifo-queue":
      json.raw(KEY.address).int(request.address);
      return;
    case "diagnostics":
      json.raw(KEY.subFunction).int(request.subFunction).raw(KEY.data).text(request.data.toString("hex"));
      return;
    case "read-file-record":
      list(json, KEY.files, request.groups, (group) =>
        filePlace(json, group).raw(KEY.length).int(group.length).raw(KEY.close),
      );
      return;
    case "write-file-record":
      list(json, KEY.files, request.groups, (group) =>
        filePlace(json, group).raw(KEY.values).ints(group.values).raw(KEY.close),
      );
      return;
    case "encapsulated-interface":
      json.raw(KEY.mei).int(request.meiType);
      if (request.meiType === 13) json.raw(KEY.data).text(request.data.toString("hex"));
      else json.raw(KEY.readCode).int(request.readCode).raw(KEY.objectId).int(request.objectId);
      return;
    case "unknown":
      json.raw(KEY.data).text(request.data.toString("hex"));
      return;
    case "read-exception-status":
    case "get-comm-event-counter":
    case "get-comm-event-log":
    case "report-server-id":
      return;
  }
}

/** The fields of a response, `,"key":value` each. */
export function modbusResponseFields(json: JsonBytes, response: ModbusResponse): void {
  switch (response.kind) {
    case "read-coils":
    case "read-discrete-inputs":
      json.raw(KEY.values).bits(response.values);
      return;
    case "read-holding-registers":
    case "read-input-registers":
    case "read-write-multiple-registers":
    case "read-fifo-queue":
      json.raw(KEY.values).ints(response.values);
      return;
    case "write-multiple-coils":
    case "write-multiple-registers":
      json.raw(KEY.address).int(response.address).raw(KEY.quantity).int(response.quantity);
      return;
    case "exception":
      json.raw(KEY.exception).int(response.code);
      return;
    case "read-exception-status":
      json.raw(KEY.status).int(response.outputs);
      return;
    case "get-comm-event-counter":
      json.raw(KEY.status).int(response.busy ? COMM_STATUS.busy : COMM_STATUS.ready);
      json.raw(KEY.eventCount).int(response.eventCount);
      return;
    case "get-comm-event-log":
      json.raw(KEY.status).int(response.busy ? COMM_STATUS.busy : COMM_STATUS.ready);
      json.raw(KEY.eventCount).int(response.eventCount).raw(KEY.messageCount).int(response.messageCount);
      json.raw(KEY.events).text(response.events.toString("hex"));
      return;
    case "report-server-id":
      json.raw(KEY.data).text(response.data.toString("hex"));
      return;
    case "read-file-record":
      list(json, KEY.files, response.groups, (values) => json.raw(KEY.wordsOnly).ints(values).raw(KEY.close));
      return;
    case "encapsulated-interface":
      json.raw(KEY.mei).int(response.meiType);
      if (response.meiType === 13) {
        json.raw(KEY.data).text(response.data.toString("hex"));
        return;
      }
      json.raw(KEY.readCode).int(response.readCode).raw(KEY.conformity).int(response.conformityLevel);
      if (response.nextObjectId !== null) json.raw(KEY.nextObjectId).int(response.nextObjectId);
      list(json, KEY.objects, response.objects, ({ id, value }) =>
        json.raw(KEY.id).int(id).raw(KEY.value).text(value.toString("latin1")).raw(KEY.close),
      );
      return;
    // Their answers are echoes: the same fields.
    case "write-single-coil":
    case "write-single-register":
    case "mask-write-register":
    case "write-file-record":
    case "diagnostics":
    case "unknown":
      modbusRequestFields(json, response);
      return;
  }
}

function filePlace(json: JsonBytes, { file, record }: { readonly file: number; readonly record: number }): JsonBytes {
  return json.raw(KEY.file).int(file).raw(KEY.record).int(record);
}

function list<T>(json: JsonBytes, key: Uint8Array, items: readonly T[], write: (item: T) => unknown): void {
  json.raw(key);
  items.forEach((item, i) => {
    if (i > 0) json.raw(KEY.comma);
    write(item);
  });
  json.raw(KEY.closeList);
}
