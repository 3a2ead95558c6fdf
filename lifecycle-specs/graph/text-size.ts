/**
 * How wide text is without a screen: the advance widths of Helvetica's lower-case letters come in few classes, and Arial and
 * Liberation Sans have the same. In thousandths of the font size.
 */
const NARROW = new Set("ijlt.,:;'|!()[]{}/\\`If -r");
const WIDE = new Set("mwMW%@—…");
const WIDTH = { narrow: 320, usual: 556, capital: 700, wide: 900, other: 650, full: 1000 } as const;
/** A browser without these fonts takes a slightly wider one. */
const MARGIN = 1.06;

/** Width in px of one line. */
export function textWidth(text: string, fontPx: number): number {
  let sum = 0;
  for (const char of text) sum += widthOf(char);
  return (sum / 1000) * fontPx * MARGIN;
}

function widthOf(char: string): number {
  if (NARROW.has(char)) return WIDTH.narrow;
  if (WIDE.has(char)) return WIDTH.wide;
  const code = char.codePointAt(0) ?? 0;
  if (code >= 0x1100) return code >= 0x2000 && code < 0x2e80 ? WIDTH.other : WIDTH.full;
  if (code > 0x7e) return WIDTH.other;
  return char >= "A" && char <= "Z" ? WIDTH.capital : WIDTH.usual;
}

/** Lines no wider than `maxPx`, cut at spaces; a word that is wider alone is cut inside. */
export function wrapText(text: string, fontPx: number, maxPx: number): readonly string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/\s+/).filter((part) => part !== "")) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (textWidth(longer, fontPx) <= maxPx) {
      line = longer;
      continue;
    }
    if (line !== "") lines.push(line);
    line = word;
    while (textWidth(line, fontPx) > maxPx && [...line].length > 1) {
      const head = headOf(line, fontPx, maxPx);
      lines.push(head);
      line = line.slice(head.length);
    }
  }
  return line === "" ? lines : [...lines, line];
}

/** As much of a word as fits, at least one character. */
function headOf(word: string, fontPx: number, maxPx: number): string {
  let head = "";
  for (const char of word) {
    if (head !== "" && textWidth(head + char, fontPx) > maxPx) break;
    head += char;
  }
  return head;
}
