/** Ethernet, IPv4, TCP, LLDP and passive TCP reassembly. One import for users of the folder. */
export * from "./ethernet.ts";
export * from "./flow.ts";
export * from "./ipv4.ts";
export * from "./lldp.ts";
export * from "./reassembler.ts";
export * from "./tcp.ts";
export * from "./tcp-frame.ts";
