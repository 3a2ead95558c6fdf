import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { send } from "../api.ts";
import { LiveController } from "../live-controller.ts";
import { changeWords } from "../state/actions.ts";
import { drawnDetection } from "../state/detections.ts";
import type { LinkLooks } from "../state/link.ts";
import type { View } from "../state/model.ts";
import { readable } from "../state/phases.ts";
import "./confirm-dialog.ts";
import { ConfirmedEvent } from "./confirm-dialog.ts";
import "./containment-panel.ts";
import "./detection-list.ts";
import { AskEvent, PickEvent } from "./events.ts";
import { linkIcon } from "./icons.ts";
import "./page-header.ts";
import "./path-picture.ts";
import "./phase-panel.ts";
import "./plant-schematic.ts";
import { shared } from "./shared-styles.ts";
import "./toast-list.ts";
import "./trend-charts.ts";
import "./verdict-list.ts";

/** The whole page over one socket. Holds what is picked and asked; everything else comes from the coordinator. */
export class SekishoPage extends LitElement {
  static override properties = { picked: { state: true } };
  static override styles = [
    shared,
    css`
      :host {
        display: grid;
        grid-template-rows: auto auto auto 1fr;
        min-height: 100vh;
      }
      .banner {
        display: flex;
        gap: 10px;
        align-items: center;
        padding: 7px 14px;
        font-weight: 600;
        border-bottom: 1px solid var(--line);
      }
      .banner .icon {
        width: 20px;
        height: 20px;
      }
      .banner.lost {
        background: var(--alarm-soft);
        color: var(--alarm);
        border: 2px solid var(--alarm);
      }
      .banner.change {
        background: var(--raised);
      }
      main {
        display: grid;
        grid-template-columns: minmax(0, 1.62fr) minmax(380px, 1fr);
        grid-template-rows: auto minmax(0, 1fr);
        gap: 8px;
        padding: 8px;
        min-height: 0;
      }
      phase-panel {
        grid-column: 1 / -1;
      }
      .column {
        display: flex;
        flex-direction: column;
        gap: 8px;
        min-width: 0;
        min-height: 0;
      }
      path-picture,
      plant-schematic,
      containment-panel {
        flex: none;
      }
      trend-charts {
        flex: 1 0 170px;
        max-height: 340px;
      }
      detection-list {
        flex: 0 1 auto;
        min-height: 124px;
      }
      verdict-list {
        flex: 1 8 200px;
        min-height: 130px;
      }
      .waiting {
        place-self: center;
        text-align: center;
        padding: 40px;
      }
      .waiting .icon {
        width: 48px;
        height: 48px;
        margin: 0 auto 12px;
      }
      /* A control room's page does not scroll: it fits the screen, and its lists scroll. */
      @media (min-width: 1100px) and (min-height: 780px) {
        :host {
          height: 100vh;
          overflow: hidden;
        }
        .column {
          overflow: hidden auto;
        }
      }
      @media (max-width: 1099px), (max-height: 779px) {
        detection-list,
        verdict-list {
          flex: none;
          max-height: 420px;
        }
      }
      @media (max-width: 1099px) {
        main {
          grid-template-columns: minmax(0, 1fr);
          grid-template-rows: none;
        }
        .right {
          order: -1;
        }
        phase-panel {
          order: -2;
        }
      }
    `,
  ];
  declare picked: string | undefined;
  readonly #live = new LiveController(
    this,
    `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/api/live`,
  );

  constructor() {
    super();
    this.picked = undefined;
    this.addEventListener(AskEvent.type, (event) => {
      if (event instanceof AskEvent) void this.renderRoot.querySelector("confirm-dialog")?.ask(event.question);
    });
    this.addEventListener(PickEvent.type, (event) => {
      if (event instanceof PickEvent) this.picked = event.detection === this.picked ? undefined : event.detection;
    });
    this.addEventListener(ConfirmedEvent.type, (event) => {
      if (event instanceof ConfirmedEvent) void this.#send(event);
    });
  }

  override render(): TemplateResult {
    const { view, link } = this.#live;
    return html`
      <page-header .view=${view} .link=${link}></page-header>
      <div role="alert">${view !== undefined && link.says !== "" ? banner(link) : nothing}</div>
      <div role="status">${view !== undefined && view.state.changing !== null ? html`<div class="banner change">${changeWords(view.state)}</div>` : nothing}</div>
      ${view === undefined ? waiting(link) : this.#panels(view)}
      <confirm-dialog></confirm-dialog>
      <toast-list></toast-list>
    `;
  }

  #panels(view: View): TemplateResult {
    const detection = drawnDetection(view.plant, view.state, this.picked);
    return html`<main>
      <phase-panel .view=${view}></phase-panel>
      <div class="column left" tabindex="0" role="group" aria-label="Layers and plant">
        <path-picture .view=${view} .detection=${detection}></path-picture>
        <plant-schematic .view=${view}></plant-schematic>
        <trend-charts .view=${view}></trend-charts>
      </div>
      <div class="column right" tabindex="0" role="group" aria-label="Containment, detections and verdicts">
        <containment-panel .view=${view}></containment-panel>
        <detection-list .view=${view} .drawn=${detection?.id}></detection-list>
        <verdict-list .view=${view}></verdict-list>
      </div>
    </main>`;
  }

  async #send(event: ConfirmedEvent): Promise<void> {
    const { accepted, says } = await send(event.ask, event.who);
    const { view } = this.#live;
    this.renderRoot
      .querySelector("toast-list")
      ?.show({ accepted, says: view === undefined ? says : readable(view.plant, says) });
  }
}

function banner(link: LinkLooks): TemplateResult {
  return html`<div class="banner lost">${linkIcon(link.kind)} <span>${link.says}</span></div>`;
}

function waiting(link: LinkLooks): TemplateResult {
  return html`<main class="waiting">
    <div>
      ${linkIcon(link.kind)}
      <p><b>${link.says || "The coordinator has not described the plant yet."}</b></p>
      <p class="quiet">Nothing is known of the plant until it answers.</p>
    </div>
  </main>`;
}

customElements.define("sekisho-page", SekishoPage);

declare global {
  interface HTMLElementTagNameMap {
    "sekisho-page": SekishoPage;
  }
}
