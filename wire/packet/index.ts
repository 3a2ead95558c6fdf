/** Link layers, IPv4, IPv6, fragments, TCP, LLDP and passive TCP reassembly. One import for users of the folder. */
export * from "./ethernet.ts";
export * from "./flow.ts";
export * from "./ipv4.ts";
export * from "./link-type.ts";
export * from "./lldp.ts";
export type { ChecksumRule } from "./packet-view.ts";
export * from "./reassembler.ts";
export type { ReassemblySink } from "./sink.ts";
export * from "./tcp.ts";
export * from "./tcp-frame.ts";
