/**
 * Wire errors: what a decoder says when the bytes of a peer break a standard. A wire error is a value, never thrown.
 */

/**
 * The one table of wire error codes. The prefix names the protocol family:
 * `MB_` Modbus/TCP, `UA_` OPC UA secure conversation, `PK_` Ethernet/IP/TCP/LLDP, `PC_` pcap and pcapng captures.
 * Each sentence says what was wrong and which bound or rule it broke.
 */
export const WIRE_ERRORS = {
  // Modbus/TCP: MBAP header (MODBUS Messaging on TCP/IP V1.0b §3.1.3)
  MB_PROTOCOL: "protocol identifier in the MBAP header is not 0",
  MB_LENGTH: "length in the MBAP header is outside 2..254 bytes",
  MB_ADU_LENGTH: "frame is not exactly as long as its MBAP header says",
  // Modbus: RTU frame (MODBUS over Serial Line V1.02 §2.5.1)
  MB_CRC: "CRC of the RTU frame is wrong",
  MB_RTU_LENGTH: "RTU frame of a function whose length nobody declares",
  // Modbus: PDU (MODBUS AP V1.1b3 §4.1, §6)
  MB_PDU_LENGTH: "PDU is not exactly as long as its function requires",
  MB_QUANTITY: "quantity is outside the range of the function",
  MB_BYTE_COUNT: "byte count does not fit the quantity or the bytes that follow",
  MB_ADDRESS: "address plus quantity runs past 65535",
  MB_COIL_VALUE: "coil value is neither 0000 nor FF00 (hexadecimal)",
  MB_PADDING: "unused bits of the last byte are not zero",
  MB_SUB_FUNCTION: "diagnostics data does not fit its sub-function",
  MB_COMM_STATUS: "status word is neither 0000 nor FFFF (hexadecimal)",
  MB_FILE_REFERENCE: "file sub-request has a wrong reference type, file number or record number",
  MB_DEVICE_ID: "device identification has a wrong read code, object or conformity level",
  MB_FUNCTION: "response does not carry the function code of its request",
  MB_ECHO: "response does not echo the fields of its request",
  // Modbus: pairing of responses to requests
  MB_UNSOLICITED: "response carries a transaction identifier with no pending request",
  MB_PAIR_UNIT: "response carries another unit identifier than its request",
  MB_PAIR_FUNCTION: "response carries another function code than its request",
  MB_DUPLICATE_TRANSACTION: "request reuses the transaction identifier of a pending request",
  MB_TABLE_FULL: "more requests are pending on one connection than the table allows",
  // OPC UA: secure conversation and services (OPC 10000-6 §5.2, §6.7, §7.1)
  UA_SIZE: "message size is smaller than its header or does not match the bytes received",
  UA_MESSAGE_TYPE: "message type is none of HEL, ACK, ERR, RHE, OPN, CLO, MSG or not allowed in this state",
  UA_CHUNK_TYPE: "chunk type is none of C, F, A or not allowed for this message type",
  UA_CHUNK_TOO_LARGE: "message chunk is larger than the negotiated buffer",
  UA_MESSAGE_TOO_LARGE: "message is larger than the negotiated maximum",
  UA_TOO_MANY_CHUNKS: "message has more chunks than the negotiated maximum",
  UA_SEQUENCE: "sequence number or request identifier breaks the order of the secure channel",
  UA_SECURE_CHANNEL: "secure channel or token identifier is not the one that was opened",
  UA_SECURITY_POLICY: "security policy or mode is not one this decoder can read",
  UA_SECURED: "encryption, padding or signature of a secured chunk does not hold",
  UA_STRING: "string length is negative other than -1, too long, or its bytes are not UTF-8",
  UA_ARRAY: "array length is negative other than -1 or above the bound",
  UA_NODE_ID: "NodeId has an unknown encoding byte or a malformed identifier",
  UA_VARIANT: "variant has an unknown type or contradictory dimensions",
  UA_DEPTH: "structures are nested deeper than the bound",
  UA_TRAILING: "bytes remain after the end of the message body",
  UA_SHORT: "message ends before its last field",
  UA_SERVICE: "type identifier of the message body is not a known service",
  UA_ENCODING: "field has a value or encoding its type does not allow",
  // Ethernet and other links, IPv4, IPv6, TCP, LLDP
  PK_SHORT: "frame ends before the end of a header",
  PK_VLAN_DEPTH: "frame carries more stacked VLAN tags than the bound",
  PK_IPV4_VERSION: "IPv4 header does not carry version 4",
  PK_IPV4_HEADER_LENGTH: "IPv4 header length is below 20 bytes or past the end of the packet",
  PK_IPV4_TOTAL_LENGTH: "IPv4 total length is shorter than its header or longer than the frame",
  PK_IPV4_CHECKSUM: "IPv4 header checksum is wrong",
  PK_LINK_TYPE: "link type is none of Ethernet, Linux cooked, raw IP and BSD loopback",
  PK_IPV6_VERSION: "IPv6 header does not carry version 6",
  PK_IPV6_LENGTH: "IPv6 payload length is zero or longer than the frame",
  PK_IPV6_HEADER: "IPv6 extension header runs past the end of the packet",
  PK_IPV6_ROUTING: "IPv6 routing header has segments left, so that the packet is not yet where its addresses say",
  PK_TCP_DATA_OFFSET: "TCP data offset is below 20 bytes or past the end of the segment",
  PK_TCP_CHECKSUM: "TCP checksum is wrong",
  PK_ETHER_TYPE: "EtherType is not the one this decoder reads",
  PK_LLDP_TLV: "LLDP TLV is out of order, missing, repeated or has a wrong length",
  PK_LLDP_TIME: "LLDP frame has no well-formed plant time TLV",
  // pcap and pcapng
  PC_MAGIC: "capture starts with the magic number neither of pcap nor of pcapng",
  PC_COMPRESSED: "capture is compressed; unpack it first, for example with gunzip or zstd -d",
  PC_MODIFIED:
    "capture is in the modified pcap format of a patched libpcap; convert it first, with tshark -r OLD -w NEW",
  PC_VERSION: "capture is of another version than pcap 2.4 or pcapng 1.0",
  PC_RECORD_LENGTH: "captured length of a packet is above 262144 bytes or the room in its block",
  PC_BYTE_ORDER: "section header has no byte-order magic",
  PC_BLOCK_LENGTH: "block length is below its fixed part, no multiple of four, or not the same at both ends",
  PC_BLOCK_SIZE: "block is longer than 16 MiB",
  PC_INTERFACE: "block belongs to an interface that its section did not describe",
  PC_INTERFACES: "section describes more than 4096 interfaces",
  PC_OPTION: "option runs past the end of its block or has a wrong length",
} as const;

/** Name of a wire error; a key of {@link WIRE_ERRORS}. */
export type WireErrorCode = keyof typeof WIRE_ERRORS;

/**
 * Why a decoder refused bytes.
 * `offset` is the position, in bytes, of the offending field within the unit that was decoded (a PDU, a frame, a
 * message or a stream: each decoder says which). `spec` names document, edition and clause.
 */
export interface WireError {
  readonly code: WireErrorCode;
  readonly offset: number;
  readonly spec: string;
}

/** Makes a wire error. */
export function wireError(code: WireErrorCode, offset: number, spec: string): WireError {
  return { code, offset, spec };
}

/** One line for a log: code, sentence, offset and clause. */
export function describeWireError(error: WireError): string {
  return `${error.code}: ${WIRE_ERRORS[error.code]} (byte ${error.offset}; ${error.spec})`;
}
