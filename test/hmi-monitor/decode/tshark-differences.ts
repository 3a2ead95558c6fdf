import type { Line } from "./decoded.ts";

/** Where our line and tshark's fields do not say the same, and why. tshark 4.0. */
export interface Difference {
  readonly name: string;
  /** the line of ours that it is about */
  readonly about: (line: Line) => boolean;
  /** names of the facts that differ */
  readonly facts: readonly string[];
  /** the clause that makes tshark wrong or silent */
  readonly clause: string;
  readonly why: string;
}

/** A transaction that a test uses for several requests at once. */
export const SHARED_TRANSACTION = 0x777;

const answers = (functionCode: number) => (line: Line) =>
  line["function"] === functionCode && line["direction"] === "response";

const isMalformed = (line: Line) => typeof line["error"] === "string" && String(line["error"]).startsWith("MB_");

/** Every difference that the tests meet; one that they no longer meet fails them, too. */
export const MODBUS_DIFFERENCES: readonly Difference[] = [
  {
    name: "request of an exception",
    about: (line) => line["exception"] !== undefined,
    facts: ["requestFrame"],
    clause: "MODBUS Messaging on TCP/IP V1.0b §4.2.1.3; MODBUS AP V1.1b3 §7",
    why: "an exception answers a request by its transaction identifier as every answer does; tshark names requests of normal answers only",
  },
  {
    name: "server identification",
    about: answers(17),
    facts: ["data"],
    clause: "MODBUS AP V1.1b3 §6.13",
    why: "tshark's data begin with the byte count, which is a field of its own",
  },
  {
    name: "groups of Read File Record",
    about: answers(20),
    facts: ["files"],
    clause: "MODBUS AP V1.1b3 §6.14",
    why: "each group is as long as its own length byte says; tshark shows all that follows as data of the first",
  },
  {
    name: "CANopen General Reference",
    about: (line) => line["function"] === 43 && line["mei"] === 13,
    facts: ["data"],
    clause: "MODBUS AP V1.1b3 §6.20",
    why: "tshark's data begin with the MEI type, which is a field of its own",
  },
  {
    name: "what breaks the standard",
    about: isMalformed,
    facts: ["error", "requestFrame"],
    clause: "MODBUS AP V1.1b3 §6, §7",
    why: "tshark shows the fields and does not say that they are out of range",
  },
  {
    name: "coil values that are none",
    about: (line) => isMalformed(line) && line["function"] === 5,
    facts: ["values"],
    clause: "MODBUS AP V1.1b3 §6.5",
    why: "the value is neither on nor off",
  },
  {
    name: "requests with one transaction",
    about: (line) => line["direction"] === "response" && line["transaction"] === SHARED_TRANSACTION,
    facts: ["requestFrame"],
    clause: "MODBUS Messaging on TCP/IP V1.0b §4.2",
    why: "one request has one answer; tshark names the last request for each of them",
  },
];

const SHORT_REQUESTS: readonly unknown[] = [7, 11, 12, 17];

/** Messages of RTU that tshark does not read at all. */
export const RTU_MISSING: Difference = {
  name: "RTU frames of four bytes",
  about: (line) => line["direction"] === "request" && SHORT_REQUESTS.includes(line["function"]),
  facts: [],
  clause: "MODBUS over Serial Line V1.02 §2.5.1.1; MODBUS AP V1.1b3 §6.7, §6.9, §6.10, §6.13",
  why: "address, function and CRC are a whole frame; tshark asks for five bytes at least",
};

export const RTU_DIFFERENCES: readonly Difference[] = [
  ...MODBUS_DIFFERENCES,
  {
    name: "answers to RTU frames of four bytes",
    about: (line) => line["direction"] === "response" && SHORT_REQUESTS.includes(line["function"]),
    facts: ["requestFrame"],
    clause: RTU_MISSING.clause,
    why: "tshark did not read the request",
  },
];

export const UA_DIFFERENCES: readonly Difference[] = [
  {
    name: "encrypted chunks",
    about: (line) => line["encrypted"] === true,
    facts: ["sequenceNumber", "requestId", "securityMode", "securityPolicy"],
    clause: "OPC 10000-6 v1.05 §6.7.2.1",
    why: "the sequence header is encrypted with the body; tshark shows ciphertext as its numbers, and neither mode nor policy",
  },
];
