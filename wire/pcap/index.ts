/** Classic pcap: push reader and record writer. One import for users of the folder. */
export { MAX_SNAPLEN } from "./format.ts";
export * from "./reader.ts";
export * from "./writer.ts";
