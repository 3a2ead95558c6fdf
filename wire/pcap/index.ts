/** Classic pcap: push reader and record writer. One import for users of the folder. */
export { LINKTYPE_ETHERNET, MAX_SNAPLEN, type PcapResolution } from "./format.ts";
export * from "./reader.ts";
export * from "./writer.ts";
