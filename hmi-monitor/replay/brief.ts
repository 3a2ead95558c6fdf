/** Longest text of somebody else that is kept, in characters; a name in OPC UA may have 65,536 bytes here. */
export const MAX_KEPT = 512;

/** A text as it was sent, cut where it is longer than anybody would read: what is kept of a capture is bounded. */
export function brief(text: string): string {
  if (text.length <= MAX_KEPT) return text;
  // Copied: a slice would keep the whole text alive.
  const kept = Buffer.from(text.slice(0, MAX_KEPT), "utf16le").toString("utf16le");
  return `${kept}… (${text.length} characters)`;
}
