/**
 * Bounds of the binary decoder. Every count and length on the wire is compared with these, and with the bytes that
 * are left, before memory is taken for it.
 */
export interface DecodeLimits {
  /** Longest String, XmlElement or String identifier, in bytes of UTF-8. */
  readonly maxStringBytes: number;
  /** Longest ByteString or ExtensionObject body, in bytes. */
  readonly maxByteStringBytes: number;
  /** Most elements in one array. */
  readonly maxArrayLength: number;
  /** Deepest nesting of Variant, DataValue and DiagnosticInfo within each other. */
  readonly maxDepth: number;
}

/**
 * Defaults. "Decoders shall support at least 100 nesting levels" decides the depth.
 * @see OPC 10000-6 v1.05 §5.1.9
 */
export const DEFAULT_DECODE_LIMITS: DecodeLimits = {
  maxStringBytes: 65_536,
  maxByteStringBytes: 1_048_576,
  maxArrayLength: 10_000,
  maxDepth: 100,
};
