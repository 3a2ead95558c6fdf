import elk, { type ElkExtendedEdge, type ElkNode, type ElkPoint } from "elkjs/lib/elk.bundled.js";
import type { Arrow } from "./arrows.ts";
import { type Box, everyBox } from "./boxes.ts";
import type { Picture } from "./picture.ts";
import { textWidth, wrapText } from "./text-size.ts";

/** Sizes in px. */
export const FONT = { title: 15, text: 13, label: 12 } as const;
const LINE = 1.35;
const WRAP = { box: 230, container: 420, label: 240 } as const;
const PAD = 10;
const START_PX = 14;

/** More boxes than this are not laid out: nobody could read them, and the layout could take minutes. */
export const MAX_BOXES = 1000;

export interface Line {
  readonly text: string;
  readonly font: keyof typeof FONT;
  readonly bold: boolean;
}

export interface PlacedBox {
  readonly box: Box;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly lines: readonly Line[];
}

export interface PlacedArrow {
  readonly arrow: Arrow;
  readonly points: readonly Point[];
  readonly label?: {
    readonly x: number;
    readonly y: number;
    readonly width: number;
    readonly lines: readonly string[];
  };
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Layout {
  readonly width: number;
  readonly height: number;
  /** Outer boxes before those within them. */
  readonly boxes: readonly PlacedBox[];
  readonly arrows: readonly PlacedArrow[];
}

export const lineHeight = (fontPx: number): number => Math.round(fontPx * LINE);

/** Places the picture with ELK's layered algorithm: the same picture has the same layout. @throws RangeError beyond `MAX_BOXES` */
export async function layOut(picture: Picture): Promise<Layout> {
  const boxes = everyBox(picture.boxes);
  if (boxes.length > MAX_BOXES)
    throw new RangeError(
      `the drawing has ${boxes.length} boxes, more than ${MAX_BOXES}; draw one phase with --state, or leave out --all`,
    );
  const laid = await placed(picture);
  const nodes = new Map(everyNode(laid.children ?? []).map((node) => [node.id, node]));
  return {
    width: laid.width ?? 0,
    height: laid.height ?? 0,
    boxes: boxes.map((box) => placedBox(box, nodes.get(box.id))),
    arrows: picture.arrows.map((arrow, index) => placedArrow(arrow, laid.edges?.[index])),
  };
}

/** In the order of the file; where ELK does not come to an end with that (its comparison of orders is not total), in its own. */
async function placed(picture: Picture): Promise<ElkNode> {
  const order = new Map(everyBox(picture.boxes).map(({ id }, index) => [id, index]));
  const isForward = ({ from, to }: Arrow): boolean => (order.get(from) ?? 0) < (order.get(to) ?? 0);
  const graph = (layoutOptions: Options): ElkNode => ({
    id: "picture",
    layoutOptions,
    children: picture.boxes.map(nodeOf),
    edges: picture.arrows.map((arrow, index) => edgeOf(arrow, index, isForward(arrow))),
  });
  const engine = new elk.default();
  try {
    return await engine.layout(graph({ ...OPTIONS, ...IN_ORDER }));
  } catch {
    return await engine.layout(graph(OPTIONS));
  }
}

type Options = Readonly<Record<string, string>>;

const IN_ORDER: Options = {
  "elk.layered.considerModelOrder.strategy": "NODES_AND_EDGES",
  "elk.layered.cycleBreaking.strategy": "MODEL_ORDER",
};

/** @see https://eclipse.dev/elk/reference.html */
const OPTIONS: Options = {
  "elk.algorithm": "layered",
  "elk.direction": "DOWN",
  "elk.hierarchyHandling": "INCLUDE_CHILDREN",
  "elk.edgeRouting": "ORTHOGONAL",
  "elk.json.shapeCoords": "ROOT",
  "elk.json.edgeCoords": "ROOT",
  "elk.layered.nodePlacement.strategy": "NETWORK_SIMPLEX",
  "elk.layered.spacing.nodeNodeBetweenLayers": "36",
  "elk.layered.spacing.edgeNodeBetweenLayers": "18",
  "elk.layered.spacing.edgeEdgeBetweenLayers": "12",
  "elk.spacing.nodeNode": "28",
  "elk.spacing.edgeNode": "18",
  "elk.spacing.edgeEdge": "12",
  "elk.spacing.edgeLabel": "4",
  "elk.padding": "[top=16,left=16,bottom=16,right=16]",
};

/** What is written in a box: its title, what is special about it, its sentence. */
function linesOf(box: Box): readonly Line[] {
  if (box.kind === "start") return [];
  const wrap = box.children.length > 0 ? WRAP.container : WRAP.box;
  const marks = box.marks.length === 0 ? [] : wrapText(`[${box.marks.join("; ")}]`, FONT.text, wrap);
  return [
    ...wrapText(box.title, FONT.title, wrap).map((text): Line => ({ text, font: "title", bold: true })),
    ...marks.map((text): Line => ({ text, font: "text", bold: true })),
    ...wrapText(box.says, FONT.text, wrap).map((text): Line => ({ text, font: "text", bold: false })),
  ];
}

function sizeOf(lines: readonly Line[]): { readonly width: number; readonly height: number } {
  const width = Math.max(0, ...lines.map(({ text, font, bold }) => textWidth(text, FONT[font]) * (bold ? 1.06 : 1)));
  const height = lines.reduce((sum, { font }) => sum + lineHeight(FONT[font]), 0);
  return { width: Math.ceil(width + 2 * PAD), height: Math.ceil(height + 2 * PAD) };
}

function nodeOf(box: Box): ElkNode {
  if (box.kind === "start") return { id: box.id, width: START_PX, height: START_PX };
  const { width, height } = sizeOf(linesOf(box));
  if (box.children.length === 0) return { id: box.id, width, height };
  return {
    id: box.id,
    children: box.children.map(nodeOf),
    layoutOptions: {
      "elk.padding": `[top=${height + 8},left=14,bottom=14,right=14]`,
      "elk.nodeSize.constraints": "MINIMUM_SIZE",
      // With INCLUDE_CHILDREN, ELK 0.12 takes it before it turns the drawing from rightwards to downwards.
      "elk.nodeSize.minimum": `(${height},${width})`,
    },
  };
}

/** Where ways lead in a circle, those against the order of the file go upwards. */
function edgeOf(arrow: Arrow, index: number, isForward: boolean): ElkExtendedEdge {
  const lines = labelLines(arrow);
  const width = Math.ceil(Math.max(0, ...lines.map((line) => textWidth(line, FONT.label))) + 6);
  const height = lines.length * lineHeight(FONT.label) + 4;
  return {
    id: `arrow:${index}`,
    sources: [arrow.from],
    targets: [arrow.to],
    layoutOptions: { "elk.layered.priority.direction": isForward ? "10" : "0" },
    ...(lines.length === 0 ? {} : { labels: [{ text: lines.join("\n"), width, height }] }),
  };
}

/** Each way begins with a bullet where there are several. */
function labelLines({ labels }: Arrow): readonly string[] {
  return labels.flatMap((parts) => {
    const lines = wrapText(parts.join(", "), FONT.label, WRAP.label);
    return labels.length === 1 ? lines : lines.map((line, index) => `${index === 0 ? "• " : "  "}${line}`);
  });
}

function everyNode(nodes: readonly ElkNode[]): readonly ElkNode[] {
  return nodes.flatMap((node) => [node, ...everyNode(node.children ?? [])]);
}

function placedBox(box: Box, node: ElkNode | undefined): PlacedBox {
  const { x = 0, y = 0, width = 0, height = 0 } = node ?? {};
  return { box, x, y, width, height, lines: linesOf(box) };
}

function placedArrow(arrow: Arrow, edge: ElkExtendedEdge | undefined): PlacedArrow {
  const points = (edge?.sections ?? []).flatMap(({ startPoint, bendPoints = [], endPoint }): readonly ElkPoint[] => [
    startPoint,
    ...bendPoints,
    endPoint,
  ]);
  const [label] = edge?.labels ?? [];
  if (label === undefined) return { arrow, points };
  const { x = 0, y = 0, width = 0 } = label;
  return { arrow, points, label: { x, y, width, lines: labelLines(arrow) } };
}
