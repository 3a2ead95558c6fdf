import { describe, expect, test } from "vitest";
import { layOut, MAX_BOXES, type PlacedBox } from "#specs/graph/layout.ts";
import { mermaidOf } from "#specs/graph/mermaid.ts";
import { type Picture, pictureOf } from "#specs/graph/picture.ts";
import { svgOf } from "#specs/graph/svg.ts";
import { textWidth, wrapText } from "#specs/graph/text-size.ts";
import { PhaseId } from "#specs/ids.ts";
import { loaded } from "../specs.ts";
import { variant } from "../variants.ts";

const mixer = variant("mixer");
const pair = variant("pair");
const HOSTILE = `x"; <b>&amp;\u001b[31m {} %% --> end note #`;
const hostile = variant("mixer", [
  ["title: Mixer & heater <small>", `title: ${JSON.stringify(HOSTILE)}`],
  ["says: The mixer is filled.", `says: ${JSON.stringify(HOSTILE)}`],
  ["says: The speed may be changed step by step.", `says: ${JSON.stringify(HOSTILE)}`],
]);

describe("SVG", () => {
  test("of the mixer", async () => {
    await expect(await svgOf(mixer.plant, mixer.lifecycle)).toMatchFileSnapshot("golden/mixer.svg.txt");
  });

  test("of one phase of two zones", async () => {
    const svg = await svgOf(pair.plant, pair.lifecycle, { phase: PhaseId("left.run") });
    await expect(svg).toMatchFileSnapshot("golden/pair-left-run.svg.txt");
  });

  test("the same lifecycle gives the same bytes", async () => {
    const draw = () => svgOf(mixer.plant, mixer.lifecycle, { all: true });
    expect(await draw()).toBe(await draw());
  });

  test("is well-formed, has a title and a description, and nothing of a file becomes markup", async () => {
    const svg = await svgOf(hostile.plant, hostile.lifecycle);
    expect(unbalanced(svg)).toEqual([]);
    expect(svg).toContain('aria-labelledby="title about"');
    expect(svg).toMatch(/<title id="title">Lifecycle of x&quot;; &lt;b&gt;&amp;amp;\ufffd\[31m/);
    expect(svg).toMatch(/<desc id="about">State machine with \d+ phases and \d+ ways/);
    expect(svg).not.toMatch(/<b>/);
    expect(svg.replaceAll("\n", "")).not.toMatch(/\p{Cc}/u);
  });

  test("tells every rule of the lifecycle", async () => {
    const svg = await svgOf(mixer.plant, mixer.lifecycle);
    for (const rule of [
      "reads",
      "stop",
      "off-output",
      "run-temp",
      "start-motor",
      "speed",
      "mode",
      "limited-output",
      "test-clock",
    ])
      expect(svg).toContain(`(${rule})</text>`);
  });
});

describe("layout", () => {
  test.each(["water-treatment", "boiler"])(
    "%s: text fits its box, boxes lie within their box and on no other",
    async (plant) => {
      const spec = loaded(plant);
      const { boxes } = await layOut(pictureOf(spec.plant, spec.lifecycle));
      for (const { box, width, lines } of boxes)
        for (const { text } of lines) expect(textWidth(text, 13), `${box.id}: ${text}`).toBeLessThanOrEqual(width);
      for (const outer of boxes) expect(misplaced(outer, boxes)).toEqual([]);
    },
  );

  test("phases come in the order of the file where nothing forbids it", async () => {
    const { boxes } = await layOut(pictureOf(mixer.plant, mixer.lifecycle));
    const top = (id: string) => boxes.find(({ box }) => box.id === id)?.y ?? Number.NaN;
    expect(top("phase:off")).toBeLessThan(top("phase:run"));
    expect(top("step:run/fill")).toBeLessThan(top("step:run/produce"));
  });

  test("as many boxes as are laid out, and one more", { timeout: 60_000 }, async () => {
    await expect(layOut(manyBoxes(MAX_BOXES + 1))).rejects.toThrow(`${MAX_BOXES + 1} boxes, more than ${MAX_BOXES}`);
    expect((await layOut(manyBoxes(MAX_BOXES))).boxes).toHaveLength(MAX_BOXES);
  });
});

describe("text", () => {
  test.each([
    { text: "a bb ccc", max: 30, want: ["a bb", "ccc"] },
    { text: "  a   b ", max: 100, want: ["a b"] },
    { text: "aaaaaaa", max: 31, want: ["aaaa", "aaa"] },
    { text: "x aaaaaaa", max: 31, want: ["x", "aaaa", "aaa"] },
    { text: "漢字漢字", max: 30, want: ["漢字", "漢字"] },
    { text: "", max: 30, want: [] },
    { text: "ab", max: 1, want: ["a", "b"] },
  ])("`$text` in $max px", ({ text, max, want }) => expect(wrapText(text, 13, max)).toEqual(want));
});

describe("Mermaid", () => {
  test("of the mixer", async () => {
    await expect(mermaidOf(mixer.plant, mixer.lifecycle)).toMatchFileSnapshot("golden/mixer.mmd");
  });

  test("of two zones as parallel regions", async () => {
    await expect(mermaidOf(pair.plant, pair.lifecycle)).toMatchFileSnapshot("golden/pair.mmd");
  });

  test("nothing of a file becomes syntax", () => {
    const text = mermaidOf(hostile.plant, hostile.lifecycle);
    expect(text).toContain(
      "step_run_fill : x#34;#59; #60;b#62;#38;amp#59;#65533;[31m #123;#125; #37;#37; #45;#45;#62; #101;#110;#100;#32;#110;#111;#116;#101; #35;",
    );
    // All that was written is escaped: what is left of each line is our own syntax.
    const plain = mermaidOf(mixer.plant, mixer.lifecycle);
    expect(text.split("\n")).toHaveLength(plain.split("\n").length);
  });

  test("different states never share a name", () => {
    const text = mermaidOf(mixer.plant, mixer.lifecycle, { all: true });
    const names = [...text.matchAll(/^\s*state ".*" as (\w+)/gm)].map(([, name]) => name);
    expect(names.length).toBeGreaterThan(10);
    expect(new Set(names).size).toBe(names.length);
  });
});

/** Tags that are not closed, and text with characters that XML gives a meaning. */
function unbalanced(svg: string): readonly string[] {
  const open: string[] = [];
  const wrong: string[] = [];
  for (const [, end, name = "", , alone] of svg.matchAll(
    /<(\/?)([A-Za-z]+)((?:\s+[A-Za-z-:]+="[^"<&]*(?:&[a-z]+;[^"<&]*)*")*)\s*(\/?)>/g,
  )) {
    if (end === "/") wrong.push(...(open.pop() === name ? [] : [name]));
    else if (alone !== "/") open.push(name);
  }
  const text = svg.replace(/<style>[\s\S]*?<\/style>/, "").replace(/<[^<>]*>/g, "");
  return [...open, ...wrong, ...(text.match(/[<>]|&(?!(?:amp|lt|gt|quot);)/g) ?? [])];
}

/** Boxes directly within this one that reach out of it, or that lie on a neighbour. */
function misplaced(outer: PlacedBox, boxes: readonly PlacedBox[]): readonly string[] {
  const inner = boxes.filter(({ box }) => outer.box.children.includes(box));
  const reachesOut = ({ x, y, width, height }: PlacedBox) =>
    x < outer.x || y < outer.y || x + width > outer.x + outer.width || y + height > outer.y + outer.height;
  const overlap = (a: PlacedBox, b: PlacedBox) =>
    a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
  return inner
    .filter((box) => reachesOut(box) || inner.some((other) => other !== box && overlap(box, other)))
    .map(({ box }) => box.id);
}

function manyBoxes(count: number): Picture {
  const boxes = Array.from({ length: count }, (_, index) => {
    const id = `phase:p${index}`;
    return { id, kind: "phase", title: `p${index}`, says: "", marks: [], containment: false, children: [] } as const;
  });
  const arrows = boxes.slice(1).map(({ id }, index) => {
    return { from: `phase:p${index}`, to: id, kind: "transition", labels: [] } as const;
  });
  return { title: "many", boxes, arrows };
}
