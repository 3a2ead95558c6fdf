import { css, html, LitElement, type TemplateResult } from "lit";
import type { Role } from "#specs/lifecycle.ts";
import type { Person } from "../api.ts";
import type { Ask, Question } from "../state/actions.ts";
import { shared } from "./shared-styles.ts";

/** The person confirmed: what is asked, and in whose name. */
export class ConfirmedEvent extends Event {
  static readonly type = "sekisho-confirmed";
  readonly ask: Ask;
  readonly who: Person;
  constructor(ask: Ask, who: Person) {
    super(ConfirmedEvent.type, { bubbles: true, composed: true });
    this.ask = ask;
    this.who = who;
  }
}

const STORED_PERSON = "sekisho-person";

/** Says what will happen and asks who wants it. Escape and Cancel leave everything as it is. */
export class ConfirmDialog extends LitElement {
  static override properties = { question: { state: true } };
  static override styles = [
    shared,
    css`
      dialog {
        width: min(460px, calc(100vw - 32px));
        padding: 16px 20px;
        border: 1px solid var(--line-strong);
        border-radius: 4px;
        background: var(--raised);
        color: var(--ink);
        font: inherit;
      }
      dialog::backdrop {
        background: var(--shade);
      }
      h2 {
        font-size: 18px;
        color: var(--ink);
        margin-bottom: 8px;
      }
      p {
        margin-bottom: 6px;
      }
      .who {
        display: grid;
        grid-template-columns: 1fr 1fr;
        gap: 12px;
        margin: 12px 0 16px;
      }
      label {
        display: grid;
        gap: 3px;
        font-size: 12px;
        color: var(--ink-2);
      }
      input,
      select {
        font: inherit;
        font-size: 14px;
        min-height: 32px;
        padding: 3px 8px;
        border: 1px solid var(--line-strong);
        border-radius: 3px;
        background: var(--panel);
        color: var(--ink);
      }
      .buttons {
        display: flex;
        justify-content: flex-end;
        gap: 8px;
      }
    `,
  ];
  declare question: Question | undefined;

  constructor() {
    super();
    this.question = undefined;
  }

  async ask(question: Question): Promise<void> {
    this.question = question;
    await this.updateComplete;
    this.#dialog?.showModal();
  }

  override render(): TemplateResult {
    const q = this.question;
    return html`<dialog aria-labelledby="title" @close=${() => this.#closed()}>
      <form method="dialog" @submit=${(event: SubmitEvent) => this.#submit(event)}>
        <h2 id="title">${q?.title}</h2>
        ${q?.says.map((s) => html`<p>${s}</p>`)}
        <div class="who">
          <label>Your name<input name="person" required maxlength="64" autocomplete="name" .value=${storedPerson()} /></label>
          <label>Your role<select name="role">${q?.roles.map((r) => html`<option value=${r}>${r}</option>`)}</select></label>
        </div>
        <div class="buttons">
          <button type="button" @click=${() => this.#dialog?.close()}>Cancel</button>
          <button class="main" id="confirm">${q?.confirm}</button>
        </div>
      </form>
    </dialog>`;
  }

  get #dialog(): HTMLDialogElement | null {
    return this.renderRoot.querySelector("dialog");
  }

  #closed(): void {
    this.question = undefined;
  }

  #submit(event: SubmitEvent): void {
    const q = this.question;
    if (q === undefined || !(event.target instanceof HTMLFormElement)) return;
    const form = new FormData(event.target);
    const person = String(form.get("person") ?? "").trim();
    const role = q.roles.find((r): r is Role => r === form.get("role"));
    if (person === "" || role === undefined) return;
    localStorage.setItem(STORED_PERSON, person);
    this.dispatchEvent(new ConfirmedEvent(q.ask, { person, role }));
  }
}

function storedPerson(): string {
  return localStorage.getItem(STORED_PERSON) ?? "";
}

customElements.define("confirm-dialog", ConfirmDialog);

declare global {
  interface HTMLElementTagNameMap {
    "confirm-dialog": ConfirmDialog;
  }
}
