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
    return html`<svg class="plant" viewBox="0 0 1000 204" role="img" aria-label=${`Plant drawing. ${said}`}>
      ${pipe("M8 112H112")} ${pipe("M214 140H520")} ${pipe("M590 140H688")} ${pipe("M794 140H990")}
      <path d="M980 134l10 6-10 6" fill="none" stroke="var(--fill)" stroke-width="3" />
      <text x="8" y="98">raw water</text><text x="992" y="184" text-anchor="end">to network</text>
      ${valve(68, 112, l("MV101.OPEN"), "MV101")}
      ${tank(112, 32, 102, 138, l("LIT101"), l("LIT101.SP"), 3, "T101 raw water")}
      ${setPoint(163, 188, l("LIT101.SP"))}
      ${pump(246, 140, l("P101.RUN"), "P101")}
      ${value(316, 112, l("FIT101"), "FIT101")} ${setPoint(322, 164, l("FIC101.SP"))}
      <path d="M392 60V140" stroke="var(--fill)" stroke-width="3" />
      ${pump(392, 44, l("P201.RUN"), "P201", true)}
      ${value(460, 48, l("DOS201.SP"), "DOS201 set")}
      ${value(456, 112, l("AIT201"), "AIT201")}
      ${filter(520, 72, l("BW301.ACTIVE"))}
      ${value(555, 54, l("PDT301"), "PDT301")}
      <path d="M555 170V200" stroke="var(--fill)" stroke-width="3" /> ${valve(555, 186, l("V301.OPEN"), "V301", true)}
      ${value(640, 112, l("AIT401"), "AIT401")}
      ${tank(688, 32, 106, 138, l("LIT401"), undefined, 2.8, "T401 clean water")}
      ${pump(830, 140, l("P401.RUN"), "P401")}
      ${value(914, 112, l("FIT401"), "FIT401")} ${setPoint(922, 164, l("FIC401.SP"))}
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
  return svg`<g><title>${looks.says}</title>
    <text class="set ${looks.freshness}" x=${x} y=${y} text-anchor="middle">set ${looks.text} ${looks.unit}</text>
    ${looks.freshness === "stale" ? staleMarkAt(x, y + 9) : nothing}</g>`;
}

/** Share of the tank, 0..1; undefined where nothing is known. */
function share(looks: ReadingLooks | undefined, full: number): number | undefined {
  return looks?.value === undefined ? undefined : Math.min(1, Math.max(0, looks.value / full));
}

/** The level as a bar beside its figure, with a notch at the set-point. Unknown: crossed out; stale: an outline only. */
function tank(
  x: number,
  y: number,
  w: number,
  h: number,
  looks: ReadingLooks,
  set: ReadingLooks | undefined,
  full: number,
  name: string,
): SVGTemplateResult {
  const bar = { x: x + 9, y: y + 9, w: 20, h: h - 18 };
  const level = share(looks, full);
  const notch = share(set, full);
  const stale = looks.freshness === "stale";
  const topOf = (part: number): number => bar.y + bar.h * (1 - part);
  return svg`<g><title>${looks.says}</title>
    <text class="name" x=${x + w / 2} y=${y - 8} text-anchor="middle">${name}</text>
    <rect x=${x} y=${y} width=${w} height=${h} fill="var(--raised)" stroke="var(--line-strong)" stroke-width="2"/>
    ${
      level === undefined
        ? svg`<path d=${`M${bar.x} ${bar.y}l${bar.w} ${bar.h}M${bar.x + bar.w} ${bar.y}l${-bar.w} ${bar.h}`} stroke="var(--line-strong)" stroke-width="1.5"/>`
        : svg`<rect x=${bar.x} y=${topOf(level)} width=${bar.w} height=${bar.h * level} fill=${stale ? "none" : "var(--fill)"} stroke="var(--ink-2)" stroke-dasharray=${stale ? "3 2.5" : "none"}/>`
    }
    <rect x=${bar.x} y=${bar.y} width=${bar.w} height=${bar.h} fill="none" stroke="var(--line-strong)"/>
    ${notch === undefined ? nothing : svg`<path d=${`M${bar.x + bar.w + 1} ${topOf(notch)}l8-5v10Z`} fill="var(--ink-2)"/>`}
    ${value(x + w / 2 + 18, y + h / 2 + 14, looks, looks.tag)}</g>`;
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

function pump(x: number, y: number, looks: ReadingLooks, name: string, nameLeft = false): SVGTemplateResult {
  const mark = bodyFill(looks) === "var(--ink-2)" ? "var(--raised)" : "var(--ink-2)";
  return svg`<g><title>${looks.says}</title>
    <circle cx=${x} cy=${y} r="16" fill=${bodyFill(looks)} stroke="var(--ink-2)" stroke-width="1.8" stroke-dasharray=${outline(looks)}/>
    ${
      looks.on === undefined
        ? svg`<text class="name" x=${x} y=${y + 5} text-anchor="middle">?</text>`
        : svg`<path d="M${x - 6} ${y - 9}L${x + 11} ${y}L${x - 6} ${y + 9}Z" fill="none" stroke=${mark} stroke-width="1.6"/>`
    }
    <text class="name" x=${nameLeft ? x - 22 : x} y=${nameLeft ? y - 1 : y + 31} text-anchor=${nameLeft ? "end" : "middle"}>${name}</text>
    <text x=${nameLeft ? x - 22 : x} y=${nameLeft ? y + 13 : y + 45} text-anchor=${nameLeft ? "end" : "middle"}>${stateWord(looks, "on", "off")}</text></g>`;
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
