import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";
import type { Detection } from "#coordinator/page-messages.ts";
import {
  announcement,
  confidenceWords,
  detectionSentence,
  ended,
  ledTo,
  ruleSays,
  severityLabel,
  stoppedWords,
} from "../state/detections.ts";
import type { View } from "../state/model.ts";
import { readable } from "../state/phases.ts";
import { capital, countWords, phaseWords, plantTimeWords } from "../state/words.ts";
import { PickEvent } from "./events.ts";
import { severityIcon } from "./icons.ts";
import { shared } from "./shared-styles.ts";

/** Evidence rows shown of one detection; the coordinator keeps the rest. */
const SHOWN_EVIDENCE = 12;

/** Detections, newest first: the sentence at once, the evidence on opening. New ones are read aloud. */
export class DetectionList extends LitElement {
  static override properties = { view: { attribute: false }, drawn: { attribute: false }, said: { state: true } };
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
      .list {
        overflow: auto;
        min-height: 0;
        margin: 4px -4px 0;
        padding: 0 4px;
      }
      details {
        border-top: 1px solid var(--line);
      }
      details.drawn {
        box-shadow: inset 3px 0 0 var(--ink-2);
      }
      summary {
        display: grid;
        grid-template-columns: auto 1fr auto;
        gap: 0 8px;
        padding: 6px 2px 6px 8px;
        cursor: pointer;
        list-style: none;
      }
      summary::-webkit-details-marker {
        display: none;
      }
      summary .icon {
        margin-top: 2px;
        width: 16px;
        height: 16px;
      }
      .sentence {
        font-weight: 600;
      }
      .notice .sentence {
        font-weight: 400;
      }
      .when {
        text-align: right;
        font-size: 12px;
        color: var(--ink-2);
        white-space: nowrap;
      }
      .meta {
        grid-column: 2 / 4;
        font-size: 12px;
        color: var(--ink-2);
      }
      .meta .through {
        color: var(--alarm);
        font-weight: 600;
      }
      .more {
        padding: 0 4px 8px 32px;
        font-size: 12px;
      }
      .more p {
        margin-bottom: 4px;
      }
      .evidence {
        border-left: 2px solid var(--line);
        padding-left: 8px;
        margin: 4px 0 6px;
      }
      .evidence li {
        padding: 1px 0;
        overflow-wrap: anywhere;
      }
    `,
  ];
  declare view: View;
  /** Id of the detection that the path shows. */
  declare drawn: string | undefined;
  declare said: string;
  #known: ReadonlySet<string> | undefined;

  constructor() {
    super();
    this.said = "";
  }

  override willUpdate(): void {
    const { detections } = this.view.state;
    const said = this.#known === undefined ? "" : announcement(detections, this.#known);
    this.#known = new Set(detections.map((d) => d.id));
    if (said !== "") this.said = said;
  }

  override render(): TemplateResult {
    const { detections, counts } = this.view.state;
    return html`<section class="panel" aria-labelledby="title">
      <div class="bar">
        <h2 id="title">Detections</h2>
        <span class="grow"></span>
        <span class="quiet small">${countWords(counts.detections)} since the start</span>
      </div>
      <div class="visually-hidden" aria-live="assertive" id="said">${this.said}</div>
      <div class="list" tabindex="0" role="group" aria-labelledby="title">
        ${detections.length === 0 ? html`<p class="quiet">Nothing has been detected.</p>` : nothing}
        ${repeat(
          detections,
          (d) => d.id,
          (d) => this.#row(d),
        )}
      </div>
    </section>`;
  }

  #row(d: Detection): TemplateResult {
    const drawn = d.id === this.drawn;
    const through = !d.blocked && d.severity !== "notice";
    return html`<details class="${d.severity} ${drawn ? "drawn" : ""}">
      <summary>
        ${severityIcon(d.severity)}
        <span class="sentence"><span class="visually-hidden">${severityLabel(d.severity)}: </span>${detectionSentence(d)}</span>
        <span class="when">${plantTimeWords(d.lastMs)}${d.count > 1 ? html`<br />× ${countWords(d.count)}` : nothing}</span>
        <span class="meta">
          <span class=${through ? "through" : ""}>${stoppedWords(d)}</span>${d.tags.length > 0 ? html` · ${d.tags.join(", ")}` : nothing}${
            d.technique === undefined ? nothing : html` · ATT&amp;CK ${d.technique}`
          }${d.containment === undefined ? nothing : html` · led to ${ledTo(d)}`}${drawn ? html` · shown on the path` : nothing}
        </span>
      </summary>
      <div class="more">${this.#more(d, drawn)}</div>
    </details>`;
  }

  #more(d: Detection, drawn: boolean): TemplateResult {
    const rule = ruleSays(this.view.plant, d.rule);
    const rest = d.evidence.length - SHOWN_EVIDENCE;
    return html`
      ${d.because === undefined ? nothing : html`<p>${capital(ended(readable(this.view.plant, d.because)))}</p>`}
      <p>
        ${d.source || "unknown"} → ${d.target} · ${phaseWords(d.phase)} · epoch ${d.epoch ?? "?"} · ${confidenceWords(d.confidence)}
        (${Math.round(d.confidence * 100)} %)${d.row === undefined ? nothing : html` · row ${d.row} of the locus table`}
      </p>
      ${rule === "" ? nothing : html`<p>Rule ${d.rule}: ${rule}</p>`}
      <ol class="evidence" aria-label="Evidence">
        ${d.evidence.slice(0, SHOWN_EVIDENCE).map((e) => html`<li><b>${e.point}</b> ${plantTimeWords(e.atMs)} ${e.says}</li>`)}
        ${d.evidence.length === 0 ? html`<li>No single message: the pattern itself is the evidence.</li>` : nothing}
        ${rest > 0 ? html`<li>and ${rest} more</li>` : nothing}
      </ol>
      ${
        d.locus.length === 0
          ? nothing
          : html`<button class="slight" aria-pressed=${drawn ? "true" : "false"} @click=${() => this.dispatchEvent(new PickEvent(d.id))}>
              Show on the path
            </button>`
      }
    `;
  }
}

customElements.define("detection-list", DetectionList);

declare global {
  interface HTMLElementTagNameMap {
    "detection-list": DetectionList;
  }
}
