import { describe, expect, test } from "vitest";
import type { Arrow } from "#specs/graph/arrows.ts";
import { type Box, everyBox } from "#specs/graph/boxes.ts";
import { type Picture, pictureOf } from "#specs/graph/picture.ts";
import { PhaseId } from "#specs/ids.ts";
import { variant } from "../variants.ts";

const { plant, lifecycle } = variant("mixer");
const pair = variant("pair");

/** `run { fill produce }`, start boxes as `*`. */
function outline(boxes: readonly Box[]): string {
  return boxes
    .map(({ kind, title, children }) => {
      const name = kind === "start" ? "*" : title;
      return children.length === 0 ? name : `${name} { ${outline(children)} }`;
    })
    .join(" ");
}

function arrowsFrom({ arrows }: Picture, from: string): readonly string[] {
  return arrows.filter((arrow) => arrow.from === from).map(inWords);
}

function inWords({ kind, to, labels }: Arrow): string {
  return `${kind} ${to}: ${labels.map((parts) => parts.join(", ")).join(" | ")}`;
}

describe("what is drawn", () => {
  test("phases within groups, steps within phases, generated containments folded", () => {
    expect(outline(pictureOf(plant, lifecycle).boxes)).toBe(
      "* off run { * fill produce } limited { look local } service contained: run contained: service",
    );
  });

  test("with --all every generated containment, with its steps", () => {
    const boxes = everyBox(pictureOf(plant, lifecycle, { all: true }).boxes);
    const generated = lifecycle.phases.filter(({ mask }) => mask !== undefined);
    expect(generated).toHaveLength(4);
    for (const { id } of generated) expect(boxes.map((box) => box.id)).toContain(`phase:${id}`);
    expect(boxes.filter(({ kind }) => kind === "contained")).toEqual([]);
  });

  test("one phase with its steps, and its neighbours without theirs", () => {
    const picture = pictureOf(plant, lifecycle, { phase: PhaseId("off") });
    expect(outline(picture.boxes)).toBe("* off run limited { look local } service contained: run contained: service");
    expect(picture.arrows.every(({ from, to }) => [from, to].includes("phase:off"))).toBe(true);
    expect(outline(pictureOf(plant, lifecycle, { phase: PhaseId("run") }).boxes)).toContain("run { * fill produce }");
  });

  test("a generated containment by itself", () => {
    const phase = PhaseId("contained.run.hmi-1.read-only");
    const picture = pictureOf(plant, lifecycle, { phase });
    expect(everyBox(picture.boxes).map(({ id }) => id)).toContain(`phase:${phase}`);
    expect(arrowsFrom(picture, `phase:${phase}`)).toContain("transition phase:run: lift-containment, by operator");
  });

  test("zones as boxes, without their prefix in the titles", () => {
    const { boxes } = pictureOf(pair.plant, pair.lifecycle);
    expect(outline(boxes)).toBe("Left machine { * off run limited { local } } Right machine { * off run }");
  });

  test("what is special about a phase is said in words", () => {
    const marks = new Map(everyBox(pictureOf(plant, lifecycle).boxes).map(({ id, marks: list }) => [id, list]));
    expect(marks.get("phase:off")).toEqual(["the plant begins here", "safe state, within 5 min"]);
    expect(marks.get("phase:limited.local")).toEqual(["containment", "without a coordinator"]);
    expect(marks.get("step:run/produce")).toEqual(["at least 5 s"]);
    expect(marks.get("contained:run")).toEqual(["containment", "2 generated"]);
  });
});

describe("ways", () => {
  const picture = pictureOf(plant, lifecycle);

  test("say what leads there, who may ask, and what passes meanwhile", () => {
    expect(arrowsFrom(picture, "phase:off")).toEqual([
      "transition phase:run: start, by operator, meanwhile start-motor",
      "transition phase:service: service, by engineer, two persons, stands for 5 min",
      "containment phase:limited.local: detection anywhere",
    ]);
  });

  test("of one kind to one place are one arrow with a label for each", () => {
    expect(arrowsFrom(picture, "phase:run")).toEqual([
      "transition phase:off: stop, by operator | LEVEL ≤ 0.1 m for 2 s",
      "transition phase:limited.look: look-closer, by operator or engineer",
      "containment contained:run: detection at hmi, hmi-1: read-only",
      "containment phase:limited.look: detection at unknown-device on SPEED.SP",
      "containment phase:limited.local: detection anywhere",
    ]);
  });

  test("that all phases of a group have in common lead from the group", () => {
    expect(arrowsFrom(picture, "group:limited")).toEqual([
      "transition phase:off: back, by operator, no detection for 5 s",
    ]);
    expect(arrowsFrom(picture, "phase:limited.look")).toEqual(["containment phase:limited.local: detection anywhere"]);
    expect(arrowsFrom(picture, "phase:limited.local")).toEqual([]);
  });

  test("from step to step say what is observed", () => {
    expect(arrowsFrom(picture, "step:run/fill")).toEqual([
      "step step:run/produce: LEVEL ≥ 1.2 m (until 1.1 m) for 1 s",
    ]);
    expect(arrowsFrom(picture, "step:run/produce")).toEqual(["step step:run/fill: mode forwarded"]);
    expect(arrowsFrom(picture, "start:phase/run")).toEqual(["start step:run/fill: "]);
  });

  test("take other zones along", () => {
    expect(arrowsFrom(pictureOf(pair.plant, pair.lifecycle), "phase:left.off")[0]).toBe(
      "transition phase:left.run: start, by operator, with right.run",
    );
  });

  test("both ends of every arrow are drawn", () => {
    for (const options of [{}, { all: true }, { flat: true }, { phase: PhaseId("run") }]) {
      const drawn = pictureOf(plant, lifecycle, options);
      const ids = new Set(everyBox(drawn.boxes).map(({ id }) => id));
      for (const { from, to } of drawn.arrows) expect([ids.has(from), ids.has(to)]).toEqual([true, true]);
    }
  });
});
