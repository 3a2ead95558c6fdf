import { FONT, type Line } from "./layout.ts";
import { drawLines, heightOf, type IndentedLine } from "./svg-text.ts";
import { wrapText } from "./text-size.ts";
import type { Whitelist } from "./whitelists.ts";

/** px */
const COLUMN = { width: 560, gap: 32 } as const;
/** Space for the heading above the columns. */
export const BELOW_HEADING_PX = 39;

export interface Columns {
  readonly width: number;
  readonly height: number;
  readonly drawn: readonly string[];
}

/** The whitelists side by side, each column filled before the next, none cut. As many columns as fit below the machine. */
export function listColumns(lists: readonly Whitelist[], machineWidth: number): Columns {
  const count = Math.max(1, Math.floor((machineWidth + COLUMN.gap) / (COLUMN.width + COLUMN.gap)));
  const blocks = lists.map(listLines);
  const heights = blocks.map((block) => heightOf(block) + BLOCK_GAP);
  const target = heights.reduce((sum, height) => sum + height, 0) / count;
  const top = BELOW_HEADING_PX;
  const drawn: string[] = [];
  let [column, y, tallest] = [0, 0, 0];
  for (const [index, block] of blocks.entries()) {
    const height = heights[index] ?? 0;
    if (y > 0 && y + height / 2 > target && column < count - 1) {
      column += 1;
      y = 0;
    }
    drawn.push(drawLines(block, column * (COLUMN.width + COLUMN.gap), top + y));
    y += height;
    tallest = Math.max(tallest, y);
  }
  return { width: (column + 1) * (COLUMN.width + COLUMN.gap) - COLUMN.gap, height: tallest, drawn };
}

function listLines({ title, says, entries }: Whitelist): readonly IndentedLine[] {
  const lines = (text: string, indent: number, look: Omit<Line, "text">): readonly IndentedLine[] =>
    wrapText(text, FONT[look.font], COLUMN.width - indent).map((line) => ({ text: line, indent, ...look }));
  const nothing = says.startsWith("As in ") ? [] : lines("Nothing besides what is allowed around it.", 12, PLAIN);
  return [
    ...lines(title, 0, { font: "title", bold: true }),
    ...lines(says, 0, PLAIN),
    ...(entries.length === 0 ? nothing : []),
    ...entries.flatMap((entry) => [
      ...lines(`• ${entry.says}`, 12, PLAIN),
      ...lines(`${entry.words} (${entry.rule})`, 24, { font: "label", bold: false }),
    ]),
  ];
}

const PLAIN = { font: "text", bold: false } as const;
const BLOCK_GAP = 18;
