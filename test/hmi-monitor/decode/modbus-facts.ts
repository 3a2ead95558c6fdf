import type { Line } from "./decoded.ts";
import { bytesOf, everyField, numberOf, type PdmlFrame, type PdmlProtocol, shown } from "./pdml.ts";

/** What one message says, by names of ours; the same object from a line of ours and from tshark's fields. */
export type Facts = Readonly<Record<string, unknown>>;

const OWN_FACTS = new Set(["protocol", "direction", "request", "unsolicited", "says", "pdu"]);

/** The facts of a line. */
export function factsOfLine(line: Line): Facts {
  const request = line["request"];
  const asked = typeof request === "object" && request !== null && "frame" in request ? request.frame : undefined;
  const kept = Object.entries(line).filter(([key]) => !OWN_FACTS.has(key));
  return withoutHoles({ ...Object.fromEntries(kept), requestFrame: asked });
}

/** The facts of tshark's reading, one for each Modbus message in the order of the capture. */
export function modbusFactsOfTshark(
  frames: readonly PdmlFrame[],
  framing: "mbtcp" | "mbrtu" = "mbtcp",
): readonly Facts[] {
  return frames.flatMap((frame) => {
    const [ip, tcp] = ["ip", "tcp"].map((name) => frame.protocols.find((protocol) => protocol.name === name));
    const headers = frame.protocols.filter(({ name }) => name === framing);
    const modbus = frame.protocols.filter(({ name }) => name === "modbus");
    return headers.map((header, i) => {
      const body = modbus[i];
      if (ip === undefined || tcp === undefined || body === undefined) throw new Error(`frame ${frame.number} is odd`);
      return withoutHoles({
        frame: frame.number,
        time: Number(frame.time),
        src: `${shown(ip, "ip.src")}:${shown(tcp, "tcp.srcport")}`,
        dst: `${shown(ip, "ip.dst")}:${shown(tcp, "tcp.dstport")}`,
        transaction: numberOf(header, "mbtcp.trans_id"),
        unit: numberOf(header, `${framing}.unit_id`),
        function: numberOf(body, "modbus.func_code"),
        exception: numberOf(body, "modbus.exception_code"),
        requestFrame: numberOf(body, "modbus.request_frame"),
        ...byFunction(body, numberOf(body, "modbus.func_code") ?? 0),
      });
    });
  });
}

const words = (bytes: Buffer): number[] =>
  Array.from({ length: bytes.length >> 1 }, (_, i) => bytes.readUInt16BE(2 * i));
const bits = (bytes: Buffer, count: number): number[] =>
  Array.from({ length: count }, (_, i) => ((bytes[i >> 3] ?? 0) >> (i & 7)) & 1);
const numbers = (body: PdmlProtocol, name: string): number[] =>
  everyField(body, name).map(({ show }) => (show === "True" ? 1 : show === "False" ? 0 : Number(show)));
const orNothing = <T>(list: readonly T[]): readonly T[] | undefined => (list.length === 0 ? undefined : list);
const hasData = (body: PdmlProtocol): boolean => shown(body, "modbus.data") !== undefined;

function byFunction(body: PdmlProtocol, functionCode: number): Facts {
  if (shown(body, "modbus.exception_code") !== undefined) return {};
  const address = numberOf(body, "modbus.reference_num");
  const data = bytesOf(body, "modbus.data");
  switch (functionCode) {
    case 1:
    case 2:
      return { address, quantity: numberOf(body, "modbus.bit_cnt"), values: orNothing(numbers(body, "modbus.bitval")) };
    case 3:
    case 4: {
      const values = orNothing(numbers(body, "modbus.regval_uint16"));
      return { address, quantity: numberOf(body, "modbus.word_cnt"), values };
    }
    case 5:
      return { address, values: [data[0] === 0xff ? 1 : 0] };
    case 6:
      return { address, values: words(data) };
    case 7:
      return { status: data[0] };
    case 8: {
      const first = everyField(body, "modbus.diagnostic_code")[0];
      const rest = body.fields.filter(({ name }) => name !== "modbus.diagnostic_code" && name.includes("diagnostic"));
      const text = (rest[0]?.value ?? "") || shown(body, "modbus.data")?.replaceAll(":", "");
      return { subFunction: Number(first?.show), data: text };
    }
    case 11:
      return { status: numberOf(body, "modbus.ev_status"), eventCount: numberOf(body, "modbus.ev_count") };
    case 12:
      return {
        status: numberOf(body, "modbus.ev_status"),
        eventCount: numberOf(body, "modbus.ev_count"),
        messageCount: numberOf(body, "modbus.ev_msg_count"),
        events:
          shown(body, "modbus.ev_status") === undefined
            ? undefined
            : Buffer.from(numbers(body, "modbus.event")).toString("hex"),
      };
    case 15: {
      const quantity = numberOf(body, "modbus.bit_cnt");
      return { address, quantity, values: hasData(body) ? bits(data, quantity ?? 0) : undefined };
    }
    case 16: {
      const values = orNothing(numbers(body, "modbus.regval_uint16"));
      return { address, quantity: numberOf(body, "modbus.word_cnt"), values };
    }
    case 17:
      return { data: shown(body, "modbus.data")?.replaceAll(":", "") };
    case 20:
    case 21:
      return { files: files(body) };
    case 22:
      return { address, andMask: numberOf(body, "modbus.and_mask"), orMask: numberOf(body, "modbus.or_mask") };
    case 23:
      return {
        address: numberOf(body, "modbus.read_reference_num"),
        quantity: numberOf(body, "modbus.read_word_cnt"),
        writeAddress: numberOf(body, "modbus.write_reference_num"),
        writeQuantity: numberOf(body, "modbus.write_word_cnt"),
        values: orNothing(words(data)) ?? orNothing(numbers(body, "modbus.regval_uint16")),
      };
    case 24:
      return { address, values: shown(body, "modbus.word_cnt") === undefined ? undefined : words(data) };
    case 43:
      return encapsulated(body);
    default:
      return { data: data.toString("hex") };
  }
}

function files(body: PdmlProtocol): readonly Facts[] {
  return body.fields
    .filter(({ fields }) => fields.some(({ name }) => name === "modbus.reference_type"))
    .map((group) => {
      const reference = numberOf(group, "modbus.reference_num_32");
      const where =
        reference === undefined ? {} : { file: Math.floor(reference / 0x1_0000), record: reference % 0x1_0000 };
      const data = shown(group, "modbus.data");
      const values = data === undefined ? undefined : words(bytesOf(group, "modbus.data"));
      return withoutHoles({
        ...where,
        length: values === undefined ? numberOf(group, "modbus.word_cnt") : undefined,
        values,
      });
    });
}

function encapsulated(body: PdmlProtocol): Facts {
  const mei = numberOf(body, "modbus.mei");
  if (mei !== 14) return { mei, data: shown(body, "modbus.data")?.replaceAll(":", "") };
  const answers = shown(body, "modbus.conformity_level") !== undefined;
  const ids = everyField(body, "modbus.object_id").map(({ show }) => Number(show));
  const texts = everyField(body, "modbus.object_str_value").map(({ show }) => show);
  return {
    mei,
    readCode: numberOf(body, "modbus.read_device_id"),
    objectId: answers ? undefined : ids[0],
    conformity: numberOf(body, "modbus.conformity_level"),
    nextObjectId: numberOf(body, "modbus.more_follows") === 0xff ? numberOf(body, "modbus.next_object_id") : undefined,
    objects: answers ? ids.map((id, i) => ({ id, value: texts[i] })) : undefined,
  };
}

export function withoutHoles(facts: Readonly<Record<string, unknown>>): Facts {
  return Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined));
}
