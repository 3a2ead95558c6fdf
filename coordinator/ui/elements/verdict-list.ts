import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";
import type { VerdictView } from "#coordinator/page-messages.ts";
import type { View } from "../state/model.ts";
import { filterVerdicts, type VerdictFilter, type VerdictRow, verdictKey, verdictRow } from "../state/verdicts.ts";
import { countWords, plantTimeWords } from "../state/words.ts";
import { verdictIcon } from "./icons.ts";
import { shared } from "./shared-styles.ts";

/** What the layers judged, as it happens. Pausing holds the list still; nothing is lost but what falls off its end. */
export class VerdictList extends LitElement {
  static override properties = { view: { attribute: false }, filter: { state: true }, held: { state: true } };
  static override styles = [
    shared,
    css`
      :host {
        min-height: 0;
      }
      .panel {
        display: flex;
        flex-direction: column;
        height: 100%;
      }
      .bar {
        align-items: center;
        gap: 6px;
      }
      .scroll {
        overflow: auto;
        min-height: 0;
        margin-top: 6px;
      }
      table {
        width: 100%;
        border-collapse: collapse;
        font-size: 12px;
      }
      th {
        position: sticky;
        top: 0;
        z-index: 1;
        background: var(--panel);
        text-align: left;
        font-weight: 600;
        color: var(--ink-2);
        padding: 2px 6px 3px 0;
        box-shadow: inset 0 -1px 0 var(--line-strong);
      }
      td {
        padding: 3px 6px 3px 0;
        border-bottom: 1px solid var(--line);
        vertical-align: top;
      }
      td.time {
        white-space: nowrap;
        padding-left: 4px;
      }
      td.ends {
        white-space: nowrap;
      }
      /* The whole sentence is in the tooltip and, for a detection, in its evidence. */
      .reason {
        color: var(--ink-2);
        display: -webkit-box;
        -webkit-box-orient: vertical;
        -webkit-line-clamp: 2;
        overflow: hidden;
      }
      tr.denied td {
        background: var(--alarm-soft);
      }
      tr.denied .command,
      tr.denied .verdict {
        font-weight: 650;
      }
      tr.denied .reason {
        color: var(--ink);
      }
      .verdict {
        display: flex;
        gap: 5px;
        align-items: flex-start;
        min-width: 74px;
      }
    `,
  ];
  declare view: View;
  declare filter: VerdictFilter;
  /** The rows as they were when paused. */
  declare held: readonly VerdictView[] | undefined;

  constructor() {
    super();
    this.filter = "all";
    this.held = undefined;
  }

  override render(): TemplateResult {
    const { plant, state, verdicts } = this.view;
    const rows = filterVerdicts(this.held ?? verdicts.rows, this.filter);
    return html`<section class="panel" aria-labelledby="title">
      <div class="bar">
        <h2 id="title">Verdicts</h2>
        <span class="quiet small">${countWords(state.counts.receipts)} receipts, ${countWords(state.counts.denied)} denied</span>
        <span class="grow"></span>
        <span role="group" aria-label="Show">${this.#filterButton("all", "All")} ${this.#filterButton("denies", "Denied only")}</span>
        <button class="slight" aria-pressed=${this.held === undefined ? "false" : "true"} @click=${() => this.#pause()}>Pause</button>
      </div>
      ${this.#note()}
      <div class="scroll" tabindex="0" role="group" aria-labelledby="title">
        ${rows.length === 0 ? html`<p class="quiet">${this.filter === "denies" ? "Nothing was denied." : "No verdict has come yet."}</p>` : this.#table(rows.map((v) => verdictRow(plant, v)))}
      </div>
    </section>`;
  }

  #filterButton(filter: VerdictFilter, label: string): TemplateResult {
    return html`<button class="slight" aria-pressed=${this.filter === filter ? "true" : "false"} @click=${() => this.#show(filter)}>${label}</button>`;
  }

  #show(filter: VerdictFilter): void {
    this.filter = filter;
  }

  #pause(): void {
    this.held = this.held === undefined ? this.view.verdicts.rows : undefined;
  }

  #note(): TemplateResult | typeof nothing {
    const { rows, omitted } = this.view.verdicts;
    if (this.held !== undefined) {
      const seen = this.held[0];
      const at = seen === undefined ? rows.length : rows.findIndex((v) => verdictKey(v) === verdictKey(seen));
      return html`<p class="small quiet">Paused. ${at < 0 ? `More than ${rows.length}` : at} newer.</p>`;
    }
    return omitted === 0
      ? nothing
      : html`<p class="small quiet">${countWords(omitted)} came too fast to be listed; they are counted and on record.</p>`;
  }

  #table(rows: readonly VerdictRow[]): TemplateResult {
    return html`<table>
      <thead>
        <tr>
          <th scope="col">Time</th>
          <th scope="col">Layer</th>
          <th scope="col">From → to</th>
          <th scope="col">Command</th>
          <th scope="col">Verdict</th>
        </tr>
      </thead>
      <tbody>
        ${repeat(
          rows,
          (r) => r.key,
          (r) => html`<tr class=${r.denied ? "denied" : ""}>
            <td class="time">${plantTimeWords(r.atMs)}</td>
            <td>${r.layer}</td>
            <td class="ends">${r.ends}</td>
            <td><div class="command">${r.command}</div><div class="reason" title=${r.reason}>${r.reason}</div></td>
            <td><div class="verdict">${verdictIcon(r.denied)}<span>${r.verdict}</span></div></td>
          </tr>`,
        )}
      </tbody>
    </table>`;
  }
}

customElements.define("verdict-list", VerdictList);

declare global {
  interface HTMLElementTagNameMap {
    "verdict-list": VerdictList;
  }
}
