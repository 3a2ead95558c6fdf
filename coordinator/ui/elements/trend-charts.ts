import { css, html, LitElement, type PropertyValues, type TemplateResult, unsafeCSS } from "lit";
import uPlot from "uplot";
import uplotStyles from "uplot/dist/uPlot.min.css";
import type { View } from "../state/model.ts";
import { readingLooks, tagInfo } from "../state/readings.ts";
import { TREND_GROUPS, TREND_MS, type TrendGroup, type TrendMark, trendMarks } from "../state/trend.ts";
import { shared } from "./shared-styles.ts";

/** Share of a tag's range that a flat line's noise may take up. */
const NOISE = 0.02;
const DASHES = [[], [6, 4], [2, 3]] as const;

/** Ten minutes of the main tags, one small chart per unit, with marks where something was detected or a phase changed. */
export class TrendCharts extends LitElement {
  static override properties = { view: { attribute: false } };
  static override styles = [
    shared,
    unsafeCSS(uplotStyles),
    css`
      .panel {
        display: flex;
        flex-direction: column;
        height: 100%;
      }
      .charts {
        flex: 1;
        display: grid;
        grid-template-columns: repeat(3, minmax(0, 1fr));
        gap: 14px;
        min-height: 0;
      }
      .one {
        display: flex;
        flex-direction: column;
        min-height: 0;
      }
      .key {
        display: flex;
        gap: 0 6px;
        font-size: 11.5px;
        white-space: nowrap;
        overflow: hidden;
        margin: 4px 0 2px;
      }
      .key b {
        font-weight: 600;
      }
      .key svg {
        display: inline-block;
        width: 13px;
        height: 8px;
      }
      .chart .uplot {
        position: absolute;
        inset: 0;
      }
      .chart {
        position: relative;
        flex: 1;
        min-height: 96px;
        overflow: hidden;
      }
      @media (max-width: 700px) {
        .charts {
          grid-template-columns: 1fr;
        }
      }
    `,
  ];
  declare view: View;
  #charts: uPlot[] = [];
  #marks: readonly TrendMark[] = [];
  #drawn: unknown;
  readonly #sizes = new ResizeObserver(() => this.#resize());
  readonly #scheme = window.matchMedia("(prefers-color-scheme: dark)");
  readonly #repaint = (): void => this.#build();

  override connectedCallback(): void {
    super.connectedCallback();
    this.#sizes.observe(this);
    this.#scheme.addEventListener("change", this.#repaint);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#sizes.disconnect();
    this.#scheme.removeEventListener("change", this.#repaint);
    for (const chart of this.#charts) chart.destroy();
    this.#charts = [];
  }

  override render(): TemplateResult {
    return html`<section class="panel" aria-labelledby="title">
      <div class="bar">
        <h2 id="title">Last ten minutes</h2>
        <span class="grow"></span>
        <span class="quiet small">▲ detection ┊ phase change</span>
      </div>
      <div class="charts">
        ${TREND_GROUPS.map(
          (g) => html`<div class="one">
            <div class="key"><b>${g.title}, ${g.unit}</b>${g.lines.map((l, i) => this.#key(l.tag, l.label, i))}</div>
            <div class="chart" role="img" aria-label=${this.#says(g)}></div>
          </div>`,
        )}
      </div>
    </section>`;
  }

  override updated(_: PropertyValues): void {
    const { trend, state } = this.view;
    const stamp = `${trend.times.at(-1)}/${trend.times.length}/${state.detections[0]?.id}/${state.history[0]?.epoch}`;
    if (stamp === this.#drawn) return;
    this.#drawn = stamp;
    if (this.#charts.length === 0) this.#build();
    else this.#setData();
  }

  #key(tag: string, label: string, index: number): TemplateResult {
    const looks = readingLooks(this.view.plant, this.view.state, tag, this.view.link);
    return html`<span title=${looks.says}>
      <svg viewBox="0 0 22 8" aria-hidden="true"><path d="M0 4h22" stroke="var(--ink)" stroke-width="2" stroke-dasharray=${DASHES[index]?.join(" ") || "none"} /></svg>
      ${label} ${looks.text}${looks.freshness === "stale" ? " (old)" : ""}
    </span>`;
  }

  #says(group: TrendGroup): string {
    const lines = group.lines.map(({ tag, label }) => {
      const known = (this.view.trend.values[tag] ?? []).filter((v) => v !== null);
      return known.length === 0
        ? `${label}: no readings`
        : `${label}: ${Math.min(...known).toFixed(2)} to ${Math.max(...known).toFixed(2)}`;
    });
    return `${group.title} in ${group.unit} over the last ten minutes. ${lines.join("; ")}.`;
  }

  #data(group: TrendGroup): uPlot.AlignedData {
    const { times, values } = this.view.trend;
    return [times.map((t) => t / 1000), ...group.lines.map(({ tag }) => [...(values[tag] ?? times.map(() => null))])];
  }

  #setData(): void {
    this.#marks = this.#currentMarks();
    this.#charts.forEach((chart, i) => {
      const group = TREND_GROUPS[i];
      if (group !== undefined) chart.setData(this.#data(group));
    });
  }

  #currentMarks(): readonly TrendMark[] {
    const { state } = this.view;
    return trendMarks(state.detections, state.history, state.atMs - TREND_MS);
  }

  #holders(): readonly HTMLElement[] {
    return [...this.renderRoot.querySelectorAll<HTMLElement>(".chart")];
  }

  #resize(): void {
    const holders = this.#holders();
    this.#charts.forEach((chart, i) => {
      const holder = holders[i];
      if (holder !== undefined && holder.clientWidth > 0)
        chart.setSize({ width: holder.clientWidth, height: holder.clientHeight });
    });
  }

  #build(): void {
    for (const chart of this.#charts) chart.destroy();
    this.#marks = this.#currentMarks();
    this.#charts = this.#holders().flatMap((holder, i) => {
      const group = TREND_GROUPS[i];
      return group === undefined ? [] : [new uPlot(this.#options(group, holder), this.#data(group), holder)];
    });
  }

  #options(group: TrendGroup, holder: HTMLElement): uPlot.Options {
    const style = getComputedStyle(this);
    const colour = (name: string): string => style.getPropertyValue(name).trim();
    const axis = { stroke: colour("--ink-2"), font: "11px system-ui, sans-serif", ticks: { show: false } };
    const first = tagInfo(this.view.plant, group.lines[0]?.tag ?? "");
    const noise = first === undefined ? 0 : NOISE * (first.high - first.low);
    const grid = { stroke: colour("--line"), width: 1 };
    return {
      width: Math.max(holder.clientWidth, 100),
      height: Math.max(holder.clientHeight, 80),
      padding: [8, 20, 0, 0],
      cursor: { show: false },
      legend: { show: false },
      scales: {
        x: { time: false, range: (_u, _min, max) => [max - TREND_MS / 1000, max] },
        y: { range: (_u, min, max) => around(min, max, noise) },
      },
      axes: [
        {
          ...axis,
          grid: { show: false },
          size: 20,
          gap: 2,
          splits: (_u, _i, _min, max) => [max - 600, max - 300, max],
          values: () => ["−10", "−5 min", "now"],
        },
        { ...axis, grid, size: 34, gap: 3, space: 26 },
      ],
      series: [
        {},
        ...group.lines.map(
          (_, i): uPlot.Series => ({
            stroke: colour("--ink"),
            width: 1.6,
            dash: [...(DASHES[i] ?? [])],
            points: { show: false },
          }),
        ),
      ],
      hooks: { draw: [(u) => drawMarks(u, this.#marks, colour)] },
    };
  }
}

/** A flat line gets room about it, so that its noise looks small; nothing known gets 0..1. */
function around(min: number | null, max: number | null, noise: number): [number, number] {
  if (min === null || max === null) return [0, 1];
  const room = Math.max((max - min) * 0.12, Math.abs(max) * 0.05, noise, 0.1);
  return [Math.max(0, min - room), max + room];
}

function drawMarks(u: uPlot, marks: readonly TrendMark[], colour: (name: string) => string): void {
  const { ctx, bbox } = u;
  const unit = devicePixelRatio;
  ctx.save();
  for (const mark of marks) {
    const x = Math.round(u.valToPos(mark.atMs / 1000, "x", true));
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    const detection = mark.kind === "detection";
    ctx.strokeStyle = colour(detection ? "--alarm-fill" : "--line-strong");
    ctx.lineWidth = unit;
    ctx.setLineDash(detection ? [] : [3 * unit, 3 * unit]);
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    if (!detection) continue;
    ctx.fillStyle = colour("--alarm-fill");
    ctx.beginPath();
    ctx.moveTo(x, bbox.top - 6 * unit);
    ctx.lineTo(x + 5 * unit, bbox.top + 3 * unit);
    ctx.lineTo(x - 5 * unit, bbox.top + 3 * unit);
    ctx.fill();
  }
  ctx.restore();
}

customElements.define("trend-charts", TrendCharts);

declare global {
  interface HTMLElementTagNameMap {
    "trend-charts": TrendCharts;
  }
}
