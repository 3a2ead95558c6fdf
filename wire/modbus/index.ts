/** Modbus/TCP: framing, PDU codecs and pairing. One import for users of the folder. */
export * from "./exception.ts";
export * from "./framer.ts";
export * from "./framing.ts";
export * from "./ids.ts";
export * from "./mbap.ts";
export * from "./pairing.ts";
export * from "./request.ts";
export * from "./response.ts";
export * from "./rtu.ts";
