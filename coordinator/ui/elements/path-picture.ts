import { css, html, LitElement, nothing, type SVGTemplateResult, svg, type TemplateResult } from "lit";
import type { Detection, Severity } from "#coordinator/page-messages.ts";
import type { Layer } from "#specs/decide/observation.ts";
import type { Locus } from "#specs/lifecycle.ts";
import { type LocusMark, locusMarks, severityLabel } from "../state/detections.ts";
import type { View } from "../state/model.ts";
import { layers, type PointLooks, pointLooks, sightWords, unplacedPoints } from "../state/points.ts";
import { locusWords, plantTimeWords } from "../state/words.ts";
import { pointIcon, severityIcon, severityMarkAt } from "./icons.ts";
import { shared } from "./shared-styles.ts";

/** Where the mark of each locus is drawn, in the drawing's 900 × 122: on a line, or at the corner of a box. */
const PLACE: Readonly<Record<Locus, readonly [x: number, y: number]>> = {
  hmi: [80, 46],
  "path-hmi-switch": [312, 64],
  switch: [380, 46],
  "path-switch-plc": [600, 64],
  "plc-logic": [680, 46],
  field: [845, 46],
  engineering: [250, 94],
  "unknown-device": [520, 94],
  "coordinator-link": [380, 18],
};

/** The path of a command through the three layers, what each layer's points hold, and where an attack sits. */
export class PathPicture extends LitElement {
  static override properties = { view: { attribute: false }, detection: { attribute: false } };
  static override styles = [
    shared,
    css`
      .path {
        width: 100%;
        height: auto;
        max-height: 168px;
      }
      :host {
        --hit: var(--alarm);
        --hit-soft: var(--alarm-soft);
      }
      .warning {
        --hit: var(--warn);
        --hit-soft: var(--warn-soft);
      }
      text {
        fill: var(--ink);
        font-size: 13px;
        font-weight: 600;
      }
      text.sub {
        fill: var(--ink-2);
        font-size: 11px;
        font-weight: 400;
      }
      .layers {
        display: grid;
        grid-template-columns: repeat(3, minmax(0, 1fr));
        gap: 10px;
        margin-top: 6px;
      }
      .layer {
        border-top: 2px solid var(--line-strong);
        padding-top: 4px;
      }
      .layer h3 {
        font-size: 13px;
      }
      .point {
        display: grid;
        grid-template-columns: auto 1fr;
        column-gap: 7px;
        padding: 5px 0 4px;
        border-top: 1px solid var(--line);
      }
      .point .icon {
        margin-top: 2px;
      }
      .head {
        display: flex;
        flex-wrap: wrap;
        column-gap: 8px;
      }
      .head b {
        font-weight: 600;
      }
      .head .state {
        margin-left: auto;
      }
      .point.attention .state,
      .mode,
      .mismatch {
        color: var(--warn);
        font-weight: 600;
      }
      .point.alarm .state {
        color: var(--alarm);
        font-weight: 650;
      }
      .line {
        font-size: 12px;
        font-weight: 400;
        color: var(--ink-2);
      }
      .line b {
        color: var(--ink);
        font-weight: 600;
      }
      .sight {
        margin: 2px 0 3px;
        font-size: 12px;
      }
      .sight.violating {
        color: var(--hit);
        font-weight: 600;
      }
      .where {
        display: flex;
        gap: 6px;
        align-items: center;
      }
      .where.alarm,
      .where.warning {
        color: var(--hit);
        font-weight: 600;
      }
    `,
  ];
  declare view: View;
  declare detection: Detection | undefined;

  override render(): TemplateResult {
    const { detection, view } = this;
    const unplaced = unplacedPoints(view.state);
    return html`<section class="panel" aria-labelledby="title">
      <div class="bar">
        <h2 id="title">Three layers in the path of a command</h2>
        <span class="grow"></span>
        ${
          detection === undefined
            ? html`<span class="quiet small">No attack is placed.</span>`
            : html`<span class="where small ${detection.severity}"
                >${severityIcon(detection.severity)} ${plantTimeWords(detection.atMs)} ${locusWords(detection.locus)}</span
              >`
        }
      </div>
      ${this.#drawing()}
      <div class="layers ${this.detection?.severity ?? ""}">
        ${layers(view.state).map(
          (l) => html`<div class="layer">
            <h3>${l.title} <span class="line">${l.what}</span></h3>
            ${this.#sight(l.layer)}
            ${l.points.length === 0 ? html`<p class="line">No enforcement point of this layer is known.</p>` : nothing}
            <ul>
              ${l.points.map((p) => point(pointLooks(p, view.state, view.link, view.serverNowMs)))}
            </ul>
          </div>`,
        )}
      </div>
      ${
        unplaced.length === 0
          ? nothing
          : html`<ul>
              ${unplaced.map((p) => point(pointLooks(p, view.state, view.link, view.serverNowMs)))}
            </ul>`
      }
    </section>`;
  }

  #sight(layer: Layer): TemplateResult | typeof nothing {
    const sight = this.detection?.sight?.[layer];
    if (sight === undefined || sight === "not-applicable") return nothing;
    return html`<p class="sight ${sight === "seen-violating" ? "violating" : ""}">This attack: ${sightWords(sight)}.</p>`;
  }

  #drawing(): TemplateResult {
    const { detection, view } = this;
    const marks = locusMarks(detection);
    const at = (locus: Locus): boolean => marks.some((m) => m.locus === locus);
    const label =
      detection === undefined
        ? "The path of a command: operator station, switch, PLCs, field. No attack is placed."
        : `The path of a command. ${severityLabel(detection.severity)}: the attack sits ${locusWords(detection.locus)}.`;
    const plcs = view.plant.devices.filter((d) => d.role === "plc").map((d) => d.id);
    const hmis = view.plant.devices.filter((d) => d.role === "hmi").map((d) => d.id);
    return html`<svg class="path ${detection?.severity ?? ""}" viewBox="0 0 900 122" role="img" aria-label=${label}>
      ${coordinatorLinks(view.link !== "live", at("coordinator-link"))}
      ${way(220, 380, at("path-hmi-switch"))} ${way(520, 680, at("path-switch-plc"))} ${way(820, 845, at("field"))}
      <path d="M380 106h28V82M520 106h-28V82" fill="none" stroke="var(--line-strong)" stroke-width="1.5" stroke-dasharray="4 3" />
      ${node(80, 46, 140, 36, at("hmi"), "Operator station", hmis.join(", "))}
      ${node(380, 46, 140, 36, at("switch"), "Switch", "with the filter")}
      ${node(680, 46, 140, 36, at("plc-logic"), "PLCs", plcs.join(", "))}
      ${node(845, 46, 54, 36, at("field"), "Field", "")}
      ${node(250, 94, 130, 24, at("engineering"), "Engineering", "")}
      ${node(520, 94, 130, 24, at("unknown-device"), "Unknown device", "", !at("unknown-device"))}
      ${eye(246, 64)}
      ${detection === undefined ? nothing : marks.map((m) => locusMark(m, detection.severity))}
    </svg>`;
  }
}

/** Several possible places carry a question mark each. */
function locusMark({ locus, certain }: LocusMark, severity: Severity): SVGTemplateResult {
  const [x, y] = PLACE[locus];
  return svg`${severityMarkAt(x - 5, y - 3, 26, severity)}${certain ? nothing : svg`<text x=${x - 29} y=${y + 2}>?</text>`}`;
}

function node(
  x: number,
  y: number,
  w: number,
  h: number,
  hit: boolean,
  name: string,
  sub: string,
  faint = false,
): SVGTemplateResult {
  const stroke = hit ? "var(--hit)" : faint ? "var(--line)" : "var(--line-strong)";
  const middle = y + h / 2 + (sub === "" ? 4.5 : -2);
  return svg`<rect x=${x} y=${y} width=${w} height=${h} rx="3" fill=${hit ? "var(--hit-soft)" : "var(--raised)"}
      stroke=${stroke} stroke-width=${hit ? 2.5 : 1.2} stroke-dasharray=${faint ? "4 3" : "none"}/>
    <text x=${x + w / 2} y=${middle} text-anchor="middle" font-size="12" class=${faint ? "sub" : ""}>${name}</text>
    ${sub === "" ? nothing : svg`<text class="sub" x=${x + w / 2} y=${y + h - 6} text-anchor="middle">${sub}</text>`}`;
}

function way(from: number, to: number, hit: boolean): SVGTemplateResult {
  const y = 64;
  return svg`<path d="M${from} ${y}H${to}" stroke=${hit ? "var(--hit)" : "var(--line-strong)"} stroke-width=${hit ? 4 : 2.5}/>
    <path d="M${to - 9} ${y - 5}l8 5-8 5" fill="none" stroke=${hit ? "var(--hit)" : "var(--line-strong)"} stroke-width="2"/>`;
}

/** The HMI layer only looks: an eye on the line. */
function eye(x: number, y: number): SVGTemplateResult {
  return svg`<g transform="translate(${x} ${y})"><path d="M-12 0c5-9 19-9 24 0-5 9-19 9-24 0Z" fill="var(--raised)" stroke="var(--ink-2)" stroke-width="1.4"/><circle r="3" fill="var(--ink-2)"/></g>`;
}

/** Lost to the page: the drawing cannot say how the points stand, and shows the links broken. */
function coordinatorLinks(lost: boolean, hit: boolean): SVGTemplateResult {
  const stroke = lost ? "var(--alarm)" : hit ? "var(--hit)" : "var(--line-strong)";
  const cross = (x: number): SVGTemplateResult =>
    svg`<path d=${`M${x} 10l16 16M${x + 16} 10l-16 16`} stroke="var(--alarm)" stroke-width="2.5"/>`;
  return svg`<path d="M380 18H246V52M450 30V46M520 18H750V46" fill="none" stroke=${stroke} stroke-width="1.3" stroke-dasharray=${lost ? "2 6" : "5 3"}/>
    <rect x="380" y="5" width="140" height="26" rx="13" fill=${hit ? "var(--hit-soft)" : "var(--raised)"} stroke=${stroke} stroke-width=${lost || hit ? 2.5 : 1.2}/>
    <text x="450" y="22.5" text-anchor="middle">${lost ? "not heard" : "Coordinator"}</text>
    ${lost ? svg`${cross(300)}${cross(620)}` : nothing}`;
}

function point(looks: PointLooks): TemplateResult {
  return html`<li class="point ${looks.weight}">
    ${pointIcon(looks.mark)}
    <div>
      <div class="head">
        <b>${looks.point}</b>${looks.mode === "" ? nothing : html`<span class="mode">${looks.mode}</span>`}
        <span class="state">${looks.label}</span>
      </div>
      ${looks.says === "" ? nothing : html`<div class="line">${looks.says}</div>`}
      <div class="line">${looks.holds}${looks.mismatch === "" ? nothing : html` <span class="mismatch">≠ ${looks.mismatch}</span>`}</div>
      <div class="line">
        judged <b>${looks.judged}</b> · denied <b>${looks.denied}</b>${looks.lost === "" ? nothing : html` · <span class="mismatch">lost ${looks.lost}</span>`}
        · heard ${looks.heard}
      </div>
    </div>
  </li>`;
}

customElements.define("path-picture", PathPicture);

declare global {
  interface HTMLElementTagNameMap {
    "path-picture": PathPicture;
  }
}
