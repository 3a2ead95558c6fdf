/** Examples of MODBUS AP V1.1b3 §6 and §7: request, its meaning, response and its meaning. */

export interface Golden {
  readonly name: string;
  readonly request: string;
  readonly asks: object;
  readonly response: string;
  readonly answers: object;
  /** a longer or shorter PDU may also be legal, so the one-byte checks do not apply */
  readonly openEnded?: true;
}

const bits = (text: string): boolean[] => [...text].map((bit) => bit === "1");
const ascii = (text: string): string => Buffer.from(text).toString("hex");
const hexBytes = (hex: string): Buffer => Buffer.from(hex, "hex");

export const GOLDEN: readonly Golden[] = [
  {
    name: "§6.1 read coils 20..38",
    request: "0100130013",
    asks: { kind: "read-coils", functionCode: 1, address: 0x13, quantity: 0x13 },
    response: "0103cd6b05",
    answers: { kind: "read-coils", functionCode: 1, values: bits("1011001111010110101") },
  },
  {
    name: "§6.2 read discrete inputs 197..218",
    request: "0200c40016",
    asks: { kind: "read-discrete-inputs", functionCode: 2, address: 0xc4, quantity: 22 },
    response: "0203acdb35",
    answers: { kind: "read-discrete-inputs", functionCode: 2, values: bits("0011010111011011101011") },
  },
  {
    name: "§6.3 read holding registers 108..110",
    request: "03006b0003",
    asks: { kind: "read-holding-registers", functionCode: 3, address: 0x6b, quantity: 3 },
    response: "0306022b00000064",
    answers: { kind: "read-holding-registers", functionCode: 3, values: [0x22b, 0, 100] },
  },
  {
    name: "§6.4 read input register 9",
    request: "0400080001",
    asks: { kind: "read-input-registers", functionCode: 4, address: 8, quantity: 1 },
    response: "0402000a",
    answers: { kind: "read-input-registers", functionCode: 4, values: [10] },
  },
  {
    name: "§6.5 write coil 173 on",
    request: "0500acff00",
    asks: { kind: "write-single-coil", functionCode: 5, address: 0xac, on: true },
    response: "0500acff00",
    answers: { kind: "write-single-coil", functionCode: 5, address: 0xac, on: true },
  },
  {
    name: "§6.6 write register 2 to 3",
    request: "0600010003",
    asks: { kind: "write-single-register", functionCode: 6, address: 1, value: 3 },
    response: "0600010003",
    answers: { kind: "write-single-register", functionCode: 6, address: 1, value: 3 },
  },
  {
    name: "§6.7 read exception status",
    request: "07",
    asks: { kind: "read-exception-status", functionCode: 7 },
    response: "076d",
    answers: { kind: "read-exception-status", functionCode: 7, outputs: 0x6d },
  },
  {
    name: "§6.8 diagnostics, return query data",
    request: "080000a537",
    asks: { kind: "diagnostics", functionCode: 8, subFunction: 0, data: hexBytes("a537") },
    response: "080000a537",
    answers: { kind: "diagnostics", functionCode: 8, subFunction: 0, data: hexBytes("a537") },
  },
  {
    name: "§6.9 get comm event counter, busy",
    request: "0b",
    asks: { kind: "get-comm-event-counter", functionCode: 11 },
    response: "0bffff0108",
    answers: { kind: "get-comm-event-counter", functionCode: 11, busy: true, eventCount: 264 },
  },
  {
    name: "§6.10 get comm event log",
    request: "0c",
    asks: { kind: "get-comm-event-log", functionCode: 12 },
    response: "0c08000001080121" + "2000",
    answers: {
      kind: "get-comm-event-log",
      functionCode: 12,
      busy: false,
      eventCount: 264,
      messageCount: 289,
      events: hexBytes("2000"),
    },
  },
  {
    name: "§6.11 write 10 coils from 20",
    request: "0f0013000a02cd01",
    asks: { kind: "write-multiple-coils", functionCode: 15, address: 0x13, values: bits("1011001110") },
    response: "0f0013000a",
    answers: { kind: "write-multiple-coils", functionCode: 15, address: 0x13, quantity: 10 },
  },
  {
    name: "§6.12 write two registers from 2",
    request: "100001000204000a0102",
    asks: { kind: "write-multiple-registers", functionCode: 16, address: 1, values: [10, 0x102] },
    response: "1000010002",
    answers: { kind: "write-multiple-registers", functionCode: 16, address: 1, quantity: 2 },
  },
  {
    name: "§6.13 report server ID (the standard leaves the bytes to the device)",
    request: "11",
    asks: { kind: "report-server-id", functionCode: 17 },
    response: "11030aff01",
    answers: { kind: "report-server-id", functionCode: 17, data: hexBytes("0aff01") },
  },
  {
    name: "§6.14 read two groups of file records",
    request: "140e0600040001000206000300090002",
    asks: {
      kind: "read-file-record",
      functionCode: 20,
      groups: [
        { file: 4, record: 1, length: 2 },
        { file: 3, record: 9, length: 2 },
      ],
    },
    response: "140c05060dfe0020050633cd0040",
    answers: {
      kind: "read-file-record",
      functionCode: 20,
      groups: [
        [0xdfe, 0x20],
        [0x33cd, 0x40],
      ],
    },
  },
  {
    name: "§6.15 write three file records",
    request: "150d0600040007000306af04be100d",
    asks: {
      kind: "write-file-record",
      functionCode: 21,
      groups: [{ file: 4, record: 7, values: [0x6af, 0x4be, 0x100d] }],
    },
    response: "150d0600040007000306af04be100d",
    answers: { kind: "write-file-record", functionCode: 21 },
  },
  {
    name: "§6.16 mask write register 5",
    request: "16000400f20025",
    asks: { kind: "mask-write-register", functionCode: 22, address: 4, andMask: 0xf2, orMask: 0x25 },
    response: "16000400f20025",
    answers: { kind: "mask-write-register", functionCode: 22, address: 4, andMask: 0xf2, orMask: 0x25 },
  },
  {
    name: "§6.17 read six registers from 4, write three from 15",
    request: "1700030006000e00030600ff00ff00ff",
    asks: {
      kind: "read-write-multiple-registers",
      functionCode: 23,
      readAddress: 3,
      readQuantity: 6,
      writeAddress: 14,
      values: [0xff, 0xff, 0xff],
    },
    response: "170c00fe0acd00010003000d00ff",
    answers: { kind: "read-write-multiple-registers", functionCode: 23, values: [0xfe, 0xacd, 1, 3, 13, 0xff] },
  },
  {
    name: "§6.18 read FIFO queue at 1246",
    request: "1804de",
    asks: { kind: "read-fifo-queue", functionCode: 24, address: 0x4de },
    response: "180006000201b81284",
    answers: { kind: "read-fifo-queue", functionCode: 24, values: [440, 4740] },
  },
  {
    name: "§6.20 CANopen general reference (opaque)",
    request: "2b0d0102",
    asks: { kind: "encapsulated-interface", functionCode: 43, meiType: 13, data: hexBytes("0102") },
    response: "2b0d03",
    answers: { kind: "encapsulated-interface", functionCode: 43, meiType: 13, data: hexBytes("03") },
    openEnded: true,
  },
  {
    name: "§6.21 read device identification, basic (with the length of object 1 put right)",
    request: "2b0e0100",
    asks: { kind: "encapsulated-interface", functionCode: 43, meiType: 14, readCode: 1, objectId: 0 },
    response: `2b0e0101000003${`0016${ascii("Company identification")}`}${`010f${ascii("Product code XX")}`}${`0205${ascii("V2.11")}`}`,
    answers: {
      kind: "encapsulated-interface",
      functionCode: 43,
      meiType: 14,
      readCode: 1,
      conformityLevel: 1,
      nextObjectId: null,
      objects: [
        { id: 0, value: Buffer.from("Company identification") },
        { id: 1, value: Buffer.from("Product code XX") },
        { id: 2, value: Buffer.from("V2.11") },
      ],
    },
  },
  {
    name: "§7 exception to a read of coil 1185",
    request: "0104a10001",
    asks: { kind: "read-coils", functionCode: 1, address: 0x4a1, quantity: 1 },
    response: "8102",
    answers: { kind: "exception", functionCode: 1, code: 2, name: "illegal-data-address" },
  },
];
