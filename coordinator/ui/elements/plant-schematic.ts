import { css, html, LitElement, nothing, type SVGTemplateResult, svg, type TemplateResult } from "lit";
import type { View } from "../state/model.ts";
import { type ReadingLooks, readingLooks, tagInfo } from "../state/readings.ts";
import { staleMarkAt } from "./icons.ts";
import { shared } from "./shared-styles.ts";

/** Without these the drawing would be a drawing of another plant; the tags are listed instead. */
const DRAWN_TAGS = ["LIT101", "FIT101", "AIT201", "PDT301", "LIT401", "FIT401"] as const;

/** The plant from raw water to the network: grey lines, values in figures, running and stopped by fill and word. */
export class PlantSchematic extends LitElement {
  static override properties = { view: { attribute: false } };
  static override styles = [
    shared,
    css`
      .plant {
        width: 100%;
        height: auto;
        max-height: 290px;
      }
      text {
        fill: var(--ink-2);
        font-size: 12px;
      }
      text.name {
        fill: var(--ink);
        font-weight: 600;
      }
      text.value {
        fill: var(--ink);
        font-size: 17px;
        font-weight: 650;
      }
      text.set {
        fill: var(--ink);
        font-weight: 600;
      }
      text.stale,
      text.unknown {
        fill: var(--ink-3);
        font-style: italic;
        font-weight: 400;
      }
      .tags {
        display: grid;
        grid-template-columns: repeat(auto-fill, minmax(220px, 1fr));
        gap: 4px 16px;
        margin-top: 6px;
      }
      .tags div {
        display: flex;
        justify-content: space-between;
        border-bottom: 1px solid var(--line);
      }
    `,
  ];
  declare view: View;

  override render(): TemplateResult {
    const { plant, link } = this.view;
    const drawn = DRAWN_TAGS.every((tag) => tagInfo(plant, tag) !== undefined);
    return html`<section class="panel" aria-labelledby="title">
      <div class="bar">
        <h2 id="title">Plant</h2>
        <span class="grow"></span>
        <span class="quiet small">${link === "live" ? "Full: running or open. Empty: off or closed." : "All values are stale: the coordinator is not heard."}</span>
      </div>
      ${drawn ? this.#drawing() : this.#list()}
    </section>`;
  }

  #looks(tag: string): ReadingLooks {
    return readingLooks(this.view.plant, this.view.state, tag, this.view.link);
  }

  #list(): TemplateResult {
    const tags = this.view.plant.tags.filter((t) => t.kind === "measurement" || t.kind === "status");
    return html`<dl class="tags">
      ${tags.map((t) => {
        const looks = this.#looks(t.id);
        return html`<div><dt title=${t.id}>${t.title}</dt><dd>${looks.text} ${looks.unit} ${looks.freshness === "fresh" ? nothing : `(${looks.freshness})`}</dd></div>`;
      })}
    </dl>`;
  }

  #drawing(): TemplateResult {
    const l = (tag: string): ReadingLooks => this.#looks(tag);
    const said = ["LIT101", "FIT101", "DOS201.SP", "AIT201", "PDT301", "LIT401", "AIT401", "FIT401"]
      .map((t) => l(t).says)
      .join("; ");
    return html`<svg class="plant" viewBox="0 0 1000 206" role="img" aria-label=${`Plant drawing. ${said}`}>
      ${pipe("M8 112H112")} ${pipe("M210 140H372")} ${pipe("M372 140H520")} ${pipe("M590 140H688")} ${pipe("M792 140H990")}
      <path d="M980 134l10 6-10 6" fill="none" stroke="var(--fill)" stroke-width="3" />
      <text x="8" y="100">raw water</text><text x="992" y="162" text-anchor="end">to network</text>
      ${valve(68, 112, l("MV101.OPEN"), "MV101")}
      ${tank(112, 40, 98, 130, l("LIT101"), 3, "T101 raw water")}
      ${setPoint(161, 186, l("LIT101.SP"))}
      ${pump(244, 140, l("P101.RUN"), "P101")}
      ${value(318, 112, l("FIT101"), "FIT101")} ${setPoint(318, 162, l("FIC101.SP"))}
      <path d="M406 74V140" stroke="var(--fill)" stroke-width="3" />
      ${pump(406, 58, l("P201.RUN"), "P201 dosing", true)}
      ${value(474, 46, l("DOS201.SP"), "DOS201 set")}
      ${value(464, 112, l("AIT201"), "AIT201")}
      ${filter(520, 72, l("BW301.ACTIVE"))}
      ${value(555, 54, l("PDT301"), "PDT301")}
      <path d="M555 170V198" stroke="var(--fill)" stroke-width="3" /> ${valve(555, 184, l("V301.OPEN"), "V301", true)}
      ${tank(688, 40, 104, 130, l("LIT401"), 2.8, "T401 clean water")}
      ${value(642, 112, l("AIT401"), "AIT401")}
      ${pump(834, 140, l("P401.RUN"), "P401")}
      ${value(914, 112, l("FIT401"), "FIT401")} ${setPoint(900, 186, l("FIC401.SP"))}
    </svg>`;
  }
}

function pipe(d: string): SVGTemplateResult {
  return svg`<path d=${d} fill="none" stroke="var(--fill)" stroke-width="4"/>`;
}

/** Name above, figure and unit below it, in the middle of x; `y` is the figure's base line. */
function value(x: number, y: number, looks: ReadingLooks, name: string): SVGTemplateResult {
  const stale = looks.freshness === "stale";
  return svg`<g><title>${looks.says}</title>
    <text x=${x} y=${y - 17} text-anchor="middle">${name}</text>
    <text class="value ${looks.freshness}" x=${x} y=${y} text-anchor="middle">${looks.text}<tspan dx="4" font-size="12" font-weight="400">${looks.unit}</tspan></text>
    ${stale ? svg`${staleMarkAt(x, y + 9)}` : nothing}</g>`;
}

function setPoint(x: number, y: number, looks: ReadingLooks): SVGTemplateResult {
  return svg`<g><title>${looks.says}</title><text class="set ${looks.freshness}" x=${x} y=${y} text-anchor="middle"><tspan class="key">set </tspan>${looks.text} ${looks.unit}${looks.freshness === "stale" ? " (old)" : ""}</text></g>`;
}

/** The level as a bar in the tank. Unknown: no bar, a cross-hatch; stale: the bar only as an outline. */
function tank(
  x: number,
  y: number,
  w: number,
  h: number,
  looks: ReadingLooks,
  full: number,
  name: string,
): SVGTemplateResult {
  const share = looks.value === undefined ? 0 : Math.min(1, Math.max(0, looks.value / full));
  const top = y + h * (1 - share);
  const stale = looks.freshness === "stale";
  return svg`<g><title>${looks.says}</title>
    <text class="name" x=${x + w / 2} y=${y - 8} text-anchor="middle">${name}</text>
    <rect x=${x} y=${y} width=${w} height=${h} fill="var(--raised)" stroke="none"/>
    <rect x=${x + 1} y=${top} width=${w - 2} height=${y + h - top} fill=${stale ? "none" : "var(--fill-soft)"} stroke=${stale ? "var(--ink-3)" : "none"} stroke-dasharray="4 3"/>
    <path d="M${x} ${top}h${w}" stroke="var(--ink-2)" stroke-width=${looks.value === undefined ? 0 : 1.6} stroke-dasharray=${stale ? "4 3" : "none"}/>
    ${looks.freshness === "unknown" ? svg`<path d="M${x} ${y + h}L${x + w} ${y}M${x} ${y}L${x + w} ${y + h}" stroke="var(--line)" stroke-width="1.5"/>` : nothing}
    <rect x=${x} y=${y} width=${w} height=${h} fill="none" stroke="var(--line-strong)" stroke-width="2"/>
    ${value(x + w / 2, y + h / 2 + 12, looks, looks.tag)}</g>`;
}

/** Running: full. Off: empty. Not known: broken outline and `?`. The word stands beside it in every case. */
function bodyFill(looks: ReadingLooks): string {
  return looks.freshness === "fresh" && looks.on === true ? "var(--ink-2)" : "var(--raised)";
}

function stateWord(looks: ReadingLooks, on: string, off: string): string {
  if (looks.on === undefined) return "unknown";
  return `${looks.on ? on : off}${looks.freshness === "stale" ? " (old)" : ""}`;
}

function outline(looks: ReadingLooks): string {
  return looks.freshness === "fresh" ? "none" : "3 2.5";
}

function pump(x: number, y: number, looks: ReadingLooks, name: string, above = false): SVGTemplateResult {
  const mark = bodyFill(looks) === "var(--ink-2)" ? "var(--raised)" : "var(--ink-2)";
  return svg`<g><title>${looks.says}</title>
    <circle cx=${x} cy=${y} r="16" fill=${bodyFill(looks)} stroke="var(--ink-2)" stroke-width="1.8" stroke-dasharray=${outline(looks)}/>
    ${
      looks.on === undefined
        ? svg`<text class="name" x=${x} y=${y + 5} text-anchor="middle">?</text>`
        : svg`<path d="M${x - 6} ${y - 9}L${x + 11} ${y}L${x - 6} ${y + 9}Z" fill="none" stroke=${mark} stroke-width="1.6"/>`
    }
    <text class="name" x=${x} y=${above ? y - 36 : y + 32} text-anchor="middle">${name}</text>
    <text x=${x} y=${above ? y - 22 : y + 46} text-anchor="middle">${stateWord(looks, "on", "off")}</text></g>`;
}

/** Two triangles on the pipe; `upright` for a pipe that runs down. */
function valve(x: number, y: number, looks: ReadingLooks, name: string, upright = false): SVGTemplateResult {
  const shape = upright
    ? `M${x - 9} ${y - 13}h18L${x - 9} ${y + 13}h18Z`
    : `M${x - 13} ${y - 9}v18L${x + 13} ${y - 9}v18Z`;
  const tx = upright ? x + 16 : x;
  const anchor = upright ? "start" : "middle";
  return svg`<g><title>${looks.says}</title>
    <path d=${shape} fill=${bodyFill(looks)} stroke="var(--ink-2)" stroke-width="1.8" stroke-dasharray=${outline(looks)}/>
    ${looks.on === undefined ? svg`<text class="name" x=${x} y=${y - 12} text-anchor="middle">?</text>` : nothing}
    <text class="name" x=${tx} y=${upright ? y - 1 : y + 26} text-anchor=${anchor}>${name}</text>
    <text x=${tx} y=${upright ? y + 13 : y + 40} text-anchor=${anchor}>${stateWord(looks, "open", "closed")}</text></g>`;
}

function filter(x: number, y: number, backwash: ReadingLooks): SVGTemplateResult {
  const word = backwash.on === true ? "backwash" : backwash.on === false ? "filtering" : "unknown";
  return svg`<g><title>${backwash.says}</title>
    <rect x=${x} y=${y} width="70" height="98" fill="var(--raised)" stroke="var(--line-strong)" stroke-width="2"/>
    <path d="M${x} ${y + 56}h70M${x} ${y + 76}h70" stroke="var(--line-strong)" stroke-dasharray="2 3" stroke-width="2"/>
    <text class="name" x=${x + 35} y=${y + 22} text-anchor="middle">F301</text>
    <text x=${x + 35} y=${y + 40} text-anchor="middle">${word}</text>
    ${backwash.freshness === "stale" ? staleMarkAt(x + 35, y + 86) : nothing}</g>`;
}

customElements.define("plant-schematic", PlantSchematic);

declare global {
  interface HTMLElementTagNameMap {
    "plant-schematic": PlantSchematic;
  }
}
