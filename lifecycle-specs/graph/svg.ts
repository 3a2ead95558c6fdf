import type { Lifecycle } from "../lifecycle.ts";
import type { Plant } from "../plant.ts";
import { FONT, type Layout, layOut, lineHeight, type PlacedArrow, type PlacedBox, type Point } from "./layout.ts";
import { type PictureOptions, pictureOf } from "./picture.ts";
import { BELOW_HEADING_PX, listColumns } from "./svg-lists.ts";
import { drawLines, escapeXml, px } from "./svg-text.ts";
import { whitelistsOf } from "./whitelists.ts";

/** px */
const MARGIN = 24;
const PAD = 10;
const HEADING = 20;

/**
 * The machine as SVG 1.1, and below it every state's whitelist in words. The same lifecycle gives the same bytes. Text is dark on
 * light, and what a colour says is also said by line style or words.
 *
 * @throws RangeError where there are more boxes than can be laid out
 */
export async function svgOf(plant: Plant, lifecycle: Lifecycle, options: PictureOptions = {}): Promise<string> {
  const picture = pictureOf(plant, lifecycle, options);
  const layout = await layOut(picture);
  const lists = listColumns(whitelistsOf(plant, lifecycle, options), layout.width);
  const width = Math.ceil(Math.max(layout.width, lists.width) + 2 * MARGIN);
  const machineTop = MARGIN + lineHeight(HEADING) + 8;
  const listTop = machineTop + layout.height + 40;
  const height = Math.ceil(listTop + BELOW_HEADING_PX + lists.height + MARGIN);
  const phases = picture.boxes.length === 0 ? "nothing" : `${countOf(layout, "phase")} phases`;
  const title = `Lifecycle of ${picture.title}`;
  const about = `State machine with ${phases} and ${layout.arrows.filter(({ arrow }) => arrow.kind !== "start").length} ways between states; below it, for each state, the only things that may happen in it. Version ${lifecycle.version}.`;
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="graphics-document" aria-labelledby="title about" font-family="Helvetica, Arial, 'Liberation Sans', sans-serif" fill="#1a1a1a">`,
    `<title id="title">${escapeXml(title)}</title>`,
    `<desc id="about">${escapeXml(about)}</desc>`,
    STYLE,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    `<text x="${MARGIN}" y="${MARGIN + HEADING}" font-size="${HEADING}" font-weight="bold">${escapeXml(title)}</text>`,
    `<g transform="translate(${MARGIN} ${machineTop})">`,
    ...layout.boxes.map(drawBox),
    ...layout.arrows.map(drawArrow),
    // A way may cross the heading of a group: words lie on top of everything.
    `<g class="words">`,
    ...layout.boxes.map(drawWords),
    "</g>",
    ...layout.arrows.map(drawLabel),
    "</g>",
    `<g transform="translate(${MARGIN} ${Math.round(listTop)})">`,
    `<text y="${HEADING}" font-size="${HEADING}" font-weight="bold">What may happen</text>`,
    ...lists.drawn,
    "</g>",
    "</svg>",
  ]
    .filter((line) => line !== "")
    .join("\n")}\n`;
}

const STYLE = `<style>
.zone { fill: #fafafa; stroke: #555555; stroke-width: 1.5 }
.group { fill: #f1f3f5; stroke: #555555; stroke-dasharray: 6 3 }
.phase { fill: #ffffff; stroke: #1a1a1a; stroke-width: 2 }
.step { fill: #e8f1fa; stroke: #34516b }
.contained { fill: #fff3dc; stroke: #6b4a00; stroke-width: 2 }
.double { fill: none; stroke: #6b4a00; stroke-width: 1 }
.start { fill: #1a1a1a }
.way { fill: none; stroke: #333333; stroke-width: 1.4 }
.containment { stroke: #6b4a00; stroke-dasharray: 7 4 }
.words text { paint-order: stroke; stroke: #ffffff; stroke-opacity: 0.8; stroke-width: 3px; stroke-linejoin: round }
.under { fill: #ffffff; fill-opacity: 0.85 }
</style>
<defs><marker id="tip" viewBox="0 0 10 10" refX="9.5" refY="5" markerWidth="8" markerHeight="8" orient="auto"><path d="M0 0L10 5L0 10z" fill="#333333"/></marker></defs>`;

function countOf(layout: Layout, kind: PlacedBox["box"]["kind"]): number {
  return layout.boxes.filter(({ box }) => box.kind === kind).length;
}

function drawBox({ box, x, y, width, height }: PlacedBox): string {
  if (box.kind === "start") {
    const r = px(width / 2);
    return `<circle class="start" cx="${px(x + width / 2)}" cy="${px(y + height / 2)}" r="${r}"><title>begins here</title></circle>`;
  }
  const look = box.kind === "phase" && box.containment ? "contained" : box.kind;
  const round = box.kind === "group" || box.kind === "zone" ? 2 : 8;
  const name = [`${KINDS[box.kind]} ${box.title}`, ...box.marks, box.says].filter((part) => part !== "").join(". ");
  return [
    `<g role="graphics-object" aria-roledescription="${KINDS[box.kind]}"><title>${escapeXml(name)}</title>`,
    `<rect class="${look}" x="${px(x)}" y="${px(y)}" width="${px(width)}" height="${px(height)}" rx="${round}"/>`,
    // A second line within the first: a containment is one without its colour too.
    box.containment
      ? `<rect class="double" x="${px(x + 3)}" y="${px(y + 3)}" width="${px(width - 6)}" height="${px(height - 6)}" rx="${round - 2}"/>`
      : "",
    "</g>",
  ]
    .filter((line) => line !== "")
    .join("\n");
}

function drawWords({ x, y, lines }: PlacedBox): string {
  const indented = lines.map((line) => ({ ...line, indent: 0 }));
  return drawLines(indented, x + PAD, y + PAD);
}

const KINDS: Readonly<Record<PlacedBox["box"]["kind"], string>> = {
  zone: "zone",
  group: "group",
  phase: "phase",
  step: "step",
  contained: "generated containments",
  start: "start",
};

function drawArrow({ arrow, points }: PlacedArrow): string {
  if (points.length < 2) return "";
  const look = arrow.kind === "containment" ? "way containment" : "way";
  const name = arrow.labels.map((parts) => parts.join(", ")).join("; ");
  const says = `from ${nameOf(arrow.from)} to ${nameOf(arrow.to)}${name === "" ? "" : `: ${name}`}`;
  return `<path class="${look}" d="${pathOf(points)}" marker-end="url(#tip)"><title>${escapeXml(says)}</title></path>`;
}

function nameOf(box: string): string {
  return box.startsWith("start:") ? "the start" : box.slice(box.indexOf(":") + 1);
}

function pathOf(points: readonly Point[]): string {
  return points.map(({ x, y }, index) => `${index === 0 ? "M" : "L"}${px(x)} ${px(y)}`).join("");
}

function drawLabel({ label }: PlacedArrow): string {
  if (label === undefined) return "";
  const step = lineHeight(FONT.label);
  return [
    `<rect class="under" x="${px(label.x)}" y="${px(label.y)}" width="${px(label.width)}" height="${label.lines.length * step + 4}"/>`,
    ...label.lines.map((line, index) => {
      const indent = line.startsWith("  ") ? 8 : 0;
      const y = px(label.y + (index + 1) * step - 2);
      return `<text x="${px(label.x + 3 + indent)}" y="${y}" font-size="${FONT.label}">${escapeXml(line.trim())}</text>`;
    }),
  ].join("\n");
}
