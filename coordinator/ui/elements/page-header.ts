import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { modeWarning } from "../state/actions.ts";
import type { LinkLooks } from "../state/link.ts";
import type { View } from "../state/model.ts";
import { plantTimeWords } from "../state/words.ts";
import { linkIcon, severityIcon } from "./icons.ts";
import { shared } from "./shared-styles.ts";

/** One line: which plant, how strictly, when, and whether the coordinator is heard. */
export class PageHeader extends LitElement {
  static override properties = { view: { attribute: false }, link: { attribute: false } };
  static override styles = [
    shared,
    css`
      header {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 4px 18px;
        padding: 6px 14px;
        background: var(--panel);
        border-bottom: 1px solid var(--line);
      }
      h1 {
        font-size: 16px;
        font-weight: 600;
      }
      h1 span {
        font-weight: 400;
        color: var(--ink-2);
      }
      .brand {
        font-size: 13px;
        font-weight: 650;
        letter-spacing: 0.08em;
        text-transform: uppercase;
        color: var(--ink-2);
        border-right: 1px solid var(--line-strong);
        padding-right: 14px;
        margin-right: -8px;
      }
      .fact {
        display: flex;
        align-items: center;
        gap: 6px;
      }
      .fact b {
        font-weight: 600;
        font-size: 15px;
      }
      .loud {
        padding: 3px 10px;
        background: var(--warn-fill);
        color: var(--warn-ink);
        border-radius: 3px;
        font-weight: 600;
      }
      @media (max-width: 1550px) {
        h1 span,
        .version {
          display: none;
        }
      }
      .lost {
        padding: 2px 8px;
        border: 2px solid var(--alarm);
        border-radius: 3px;
        color: var(--alarm);
      }
    `,
  ];
  declare view: View | undefined;
  declare link: LinkLooks;

  override render(): TemplateResult {
    const { view, link } = this;
    return html`<header>
      <span class="brand">Sekisho</span>
      <h1>${view?.plant.title ?? "Operator page"} ${view === undefined ? nothing : html`<span>· ${view.plant.zoneTitle}</span>`}</h1>
      ${view === undefined ? nothing : this.#mode(view)}
      <span class="grow"></span>
      ${view === undefined ? nothing : this.#facts(view)}
      <span class="fact ${link.kind === "live" || link.kind === "connecting" ? "" : "lost"}" id="link">
        ${linkIcon(link.kind)}<span class="quiet">Coordinator</span><b>${link.label.replace("coordinator ", "")}</b>
      </span>
    </header>`;
  }

  #mode(view: View): TemplateResult {
    const warning = modeWarning(view.plant, view.state);
    if (warning === "") return html`<span class="fact"><span class="quiet">Mode</span><b>enforce</b></span>`;
    return html`<span class="fact loud" role="note">${severityIcon("warning")} ${warning}</span>`;
  }

  #facts(view: View): TemplateResult {
    const { state, plant } = view;
    const policy = state.policy === "auto" ? "taken at once" : "waits for a person";
    return html`
      <span class="fact"><span class="quiet">Containment</span><b>${policy}</b></span>
      <span class="fact version" title="Version of the lifecycle; bundle ${plant.bundle.slice(0, 12)}"
        ><span class="quiet">Lifecycle</span><b>${plant.version}</b></span
      >
      <span class="fact"><span class="quiet">Epoch</span><b id="epoch">${state.epoch ?? "none"}</b></span>
      <span class="fact"><span class="quiet">Plant time</span><b>${plantTimeWords(state.atMs)}</b></span>
    `;
  }
}

customElements.define("page-header", PageHeader);

declare global {
  interface HTMLElementTagNameMap {
    "page-header": PageHeader;
  }
}
