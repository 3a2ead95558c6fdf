import { css, html, LitElement, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";
import type { ApiAnswer } from "#coordinator/page-messages.ts";
import { severityIcon } from "./icons.ts";
import { shared } from "./shared-styles.ts";

const MAX_TOASTS = 4;
/** An accepted request is seen in the phase itself; a refusal stays until it is put away. */
const ACCEPTED_FOR_MS = 8000;

interface Toast extends ApiAnswer {
  readonly id: number;
}

/** The coordinator's answers, in its own words. */
export class ToastList extends LitElement {
  static override properties = { toasts: { state: true } };
  static override styles = [
    shared,
    css`
      :host {
        position: fixed;
        left: 12px;
        bottom: 12px;
        width: min(440px, calc(100vw - 24px));
        z-index: 5;
      }
      .toast {
        display: grid;
        grid-template-columns: auto 1fr auto;
        gap: 10px;
        align-items: center;
        margin-top: 8px;
        padding: 8px 10px 8px 12px;
        background: var(--raised);
        border: 1px solid var(--line-strong);
        border-radius: 3px;
        box-shadow: 0 2px 8px var(--shade);
      }
      .refused {
        border: 2px solid var(--warn);
      }
    `,
  ];
  declare toasts: readonly Toast[];
  #next = 0;

  constructor() {
    super();
    this.toasts = [];
  }

  show(answer: ApiAnswer): void {
    this.#next += 1;
    const id = this.#next;
    this.toasts = [...this.toasts, { ...answer, id }].slice(-MAX_TOASTS);
    if (answer.accepted) setTimeout(() => this.#drop(id), ACCEPTED_FOR_MS);
  }

  override render(): TemplateResult {
    return html`<div role="status" aria-live="polite">
      ${repeat(
        this.toasts,
        (t) => t.id,
        (t) => html`<div class="toast ${t.accepted ? "" : "refused"}">
          ${severityIcon(t.accepted ? "notice" : "warning")}
          <span><b>${t.accepted ? "Accepted" : "Refused"}.</b> ${t.says}</span>
          <button class="slight" @click=${() => this.#drop(t.id)}>Close</button>
        </div>`,
      )}
    </div>`;
  }

  #drop(id: number): void {
    this.toasts = this.toasts.filter((t) => t.id !== id);
  }
}

customElements.define("toast-list", ToastList);

declare global {
  interface HTMLElementTagNameMap {
    "toast-list": ToastList;
  }
}
