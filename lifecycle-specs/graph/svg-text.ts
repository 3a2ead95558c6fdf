import { printable } from "../words.ts";
import { FONT, type Line, lineHeight } from "./layout.ts";

/** A line of text and how far it is set in, px. */
export interface IndentedLine extends Line {
  readonly indent: number;
}

/** Lines below each other; `x`, `top` is the upper left corner of the first. */
export function drawLines(lines: readonly IndentedLine[], x: number, top: number): string {
  let y = top;
  return lines
    .map(({ text, font, bold, indent }) => {
      y += lineHeight(FONT[font]);
      const weight = bold ? ' font-weight="bold"' : "";
      return `<text x="${px(x + indent)}" y="${px(y - 4)}" font-size="${FONT[font]}"${weight}>${escapeXml(text)}</text>`;
    })
    .join("\n");
}

export function heightOf(lines: readonly Line[]): number {
  return lines.reduce((sum, { font }) => sum + lineHeight(FONT[font]), 0);
}

/** One decimal: enough for any screen, and stable. */
export function px(value: number): string {
  return String(Math.round(value * 10) / 10);
}

/** Text in XML. Control characters have no place there, escaped or not (XML 1.0 §2.2). */
export function escapeXml(text: string): string {
  return printable(text)
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
