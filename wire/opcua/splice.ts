/** Puts other bytes in the place of some fields of a message; all others stay as they are. */
import type { BinaryReader, FieldKind } from "./binary-reader.ts";
import { BinaryWriter } from "./binary-writer.ts";

export interface Replacement {
  readonly start: number;
  readonly end: number;
  readonly bytes: Buffer;
}

/** The body with the replacements made. Of two that overlap the one that starts first counts: it holds the other. */
export function splice(body: Buffer, replacements: readonly Replacement[]): Buffer {
  const writer = new BinaryWriter(body.length);
  let at = 0;
  for (const { start, end, bytes } of replacements.toSorted((a, b) => a.start - b.start || b.end - a.end)) {
    if (start < at) continue;
    writer.raw(body.subarray(at, start)).raw(bytes);
    at = end;
  }
  return writer.raw(body.subarray(at)).toBuffer();
}

/** Replacements of the fields of one kind, in their order; undefined leaves one as it is. */
export function fieldsOf(
  reader: BinaryReader,
  kind: FieldKind,
  bytesOf: (index: number) => Buffer | undefined,
): readonly Replacement[] {
  return reader.fieldSpans
    .filter((span) => span.kind === kind)
    .flatMap(({ start, end }, index) => {
      const bytes = bytesOf(index);
      return bytes === undefined ? [] : [{ start, end, bytes }];
    });
}

/** A String as it is on the wire. */
export function stringBytes(value: string | null): Buffer {
  return new BinaryWriter().string(value).toBuffer();
}

/** A ByteString as it is on the wire. */
export function byteStringBytes(value: Buffer | null): Buffer {
  return new BinaryWriter().byteString(value).toBuffer();
}
