/** Captures: push reader for pcap and pcapng, classic pcap writer, pcapng writer with comments. One import for users of the folder. */
export * from "./capture-reader.ts";
export { MAX_SNAPLEN } from "./format.ts";
export { MAX_BLOCK_BYTES } from "./pcapng-format.ts";
export * from "./pcapng-writer.ts";
export * from "./reader.ts";
export * from "./writer.ts";
