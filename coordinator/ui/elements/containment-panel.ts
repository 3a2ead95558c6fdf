import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import type { CandidateView, ProposalView, RequestView } from "#coordinator/page-messages.ts";
import {
  adoptQuestion,
  containmentQuestion,
  openProposals,
  otherRequests,
  type Question,
  requestLabel,
  requestQuestion,
  returnRequest,
  rolesWords,
} from "../state/actions.ts";
import { type Degraded, degraded, type Limits, limits } from "../state/limits.ts";
import type { View } from "../state/model.ts";
import { capital, durationWords, phaseWords, plantTimeWords } from "../state/words.ts";
import { AskEvent } from "./events.ts";
import { severityIcon } from "./icons.ts";
import { shared } from "./shared-styles.ts";

/** What waits for a person: containment to approve, the way back to normal, requests of the present phase. */
export class ContainmentPanel extends LitElement {
  static override properties = { view: { attribute: false } };
  static override styles = [
    shared,
    css`
      .panel {
        display: grid;
        gap: 10px;
      }
      .proposal {
        border: 2px solid var(--alarm);
        border-radius: 3px;
        padding: 8px 10px;
        background: var(--raised);
      }
      .limited {
        border: 2px solid var(--warn);
        border-radius: 3px;
        padding: 8px 10px;
        background: var(--raised);
      }
      h3 {
        display: flex;
        align-items: center;
        gap: 7px;
        font-size: 15px;
        line-height: 1.25;
      }
      dl {
        display: grid;
        grid-template-columns: max-content 1fr;
        gap: 2px 10px;
        margin: 6px 0;
        font-size: 13px;
      }
      dt {
        color: var(--ink-2);
      }
      .buttons {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        gap: 6px 8px;
      }
      .missing {
        font-size: 12px;
        color: var(--ink-2);
        margin: 2px 0 6px;
      }
      .missing li::before {
        content: "○ ";
      }
      .requests {
        display: flex;
        flex-wrap: wrap;
        gap: 6px 8px;
      }
      .candidates li {
        border-top: 1px solid var(--line);
        padding: 6px 0;
      }
    `,
  ];
  declare view: View;

  override render(): TemplateResult {
    const { plant, state } = this.view;
    const proposals = openProposals(state);
    const limited = degraded(plant, state);
    // Several cards must leave room for the detections below them: what each limits is folded away then.
    const brief = proposals.length + (limited === undefined ? 0 : 1) > 1;
    const calm = proposals.length === 0 && limited === undefined && state.standing === "running";
    return html`<section class="panel" aria-labelledby="title">
      <div class="bar"><h2 id="title">Containment and requests</h2></div>
      ${state.standing === "adopting" ? this.#adoption() : nothing} ${proposals.map((p) => this.#proposal(p, brief))}
      ${limited === undefined ? nothing : this.#limited(limited)}
      ${calm ? html`<p class="quiet">No containment is in force, and none is proposed.</p>` : nothing} ${this.#requests()}
    </section>`;
  }

  #ask(question: Question): void {
    this.dispatchEvent(new AskEvent(question));
  }

  get #deaf(): boolean {
    return this.view.link !== "live";
  }

  #proposal(p: ProposalView, brief: boolean): TemplateResult {
    const { plant, state } = this.view;
    const what = state.phase === null ? undefined : limits(plant, state.phase, p.to);
    const first = p.detections[0];
    return html`<div class="proposal">
      <h3>${severityIcon("alarm")}Containment proposed: ${phaseWords(p.to)}</h3>
      <dl>
        <dt>Why</dt>
        <dd>${p.says}${first === undefined ? nothing : html` <span class="quiet">${plantTimeWords(p.atMs)}</span>`}</dd>
        <dt>Then</dt>
        <dd>${p.toSays}</dd>
        ${what === undefined || brief ? nothing : limitRows(what)}
      </dl>
      ${what === undefined || !brief ? nothing : html`<details><summary class="small">What it limits</summary><dl>${limitRows(what)}</dl></details>`}
      ${p.takable ? nothing : html`<p class="missing">${p.whyNot}</p>`}
      <div class="buttons">
        <button class="main" id="approve" ?disabled=${this.#deaf} @click=${() => this.#ask(containmentQuestion(p, true))}>Approve containment</button>
        <button ?disabled=${this.#deaf} @click=${() => this.#ask(containmentQuestion(p, false))}>Reject</button>
        <span class="quiet small">by ${rolesWords(p.roles)}</span>
      </div>
    </div>`;
  }

  #limited(d: Degraded): TemplateResult {
    const { state } = this.view;
    const back = returnRequest(state);
    return html`<div class="limited">
      <h3>${severityIcon("warning")}${capital(phaseWords(d.phase))}</h3>
      <dl>
        <dt>Since</dt>
        <dd>${plantTimeWords(d.sinceMs)}, ${durationWords(state.atMs - d.sinceMs)}; before that ${phaseWords(d.from)}</dd>
        ${d.cause === "" ? nothing : html`<dt>Why</dt><dd>${this.#causeWords(d.cause)}</dd>`} ${limitRows(d.limits)}
      </dl>
      ${back === undefined ? html`<p class="missing">This phase has no request that leads back to normal.</p>` : this.#return(back)}
    </div>`;
  }

  /** `detection d-3` is said with that detection's own sentence. */
  #causeWords(cause: string): string {
    const found = this.view.state.detections.find((d) => cause.split(/[\s,]+/).includes(d.id));
    return found === undefined ? capital(cause) : found.says;
  }

  #return(back: RequestView): TemplateResult {
    const ready = back.missing.length === 0;
    return html`
      ${ready ? nothing : html`<p class="small">Still missing before the way back to normal:</p><ul class="missing">${back.missing.map((m) => html`<li>${m}</li>`)}</ul>`}
      <div class="buttons">
        <button class="main" id="return" ?disabled=${this.#deaf || !ready} @click=${() => this.#ask(requestQuestion(this.view.state, back))}>
          Return to normal
        </button>
        <span class="quiet small">by ${rolesWords(back.roles)}, through ${phaseWords(back.to)}</span>
      </div>
    `;
  }

  #requests(): TemplateResult | typeof nothing {
    const requests = otherRequests(this.view.state);
    if (requests.length === 0) return nothing;
    return html`<div class="requests" role="group" aria-label="Requests of this phase">
      ${requests.map(
        (r) => html`<button
          ?disabled=${this.#deaf}
          title=${[`To ${phaseWords(r.to)} (${rolesWords(r.roles)}).`, r.toSays, ...r.missing.map((m) => `Not yet: ${m}`)].join(" ")}
          @click=${() => this.#ask(requestQuestion(this.view.state, r))}
        >
          ${requestLabel(r.request)}${r.missing.length > 0 ? "…" : ""}
        </button>`,
      )}
    </div>`;
  }

  #adoption(): TemplateResult {
    const { candidates } = this.view.state;
    return html`<div class="limited">
      <h3>${severityIcon("warning")}No phase is known: an engineer confirms where the plant stands</h3>
      <ul class="candidates">
        ${candidates.map((c) => this.#candidate(c))}
      </ul>
      ${candidates.length === 0 ? html`<p class="quiet">The readings do not fit any phase yet.</p>` : nothing}
    </div>`;
  }

  #candidate(c: CandidateView): TemplateResult {
    return html`<li>
      <b>${capital(phaseWords(c.phase))}</b> <span class="quiet">${Math.round(c.fit * 100)} % of the evidence fits</span>
      <p>${c.says}</p>
      ${c.contradicts.map((x) => html`<p class="missing">Against it: ${x}</p>`)}
      <button ?disabled=${this.#deaf} @click=${() => this.#ask(adoptQuestion(c))}>Adopt ${phaseWords(c.phase)}</button>
    </li>`;
  }
}

function limitRows(what: Limits): TemplateResult {
  const rows = (list: Limits["lost"]): TemplateResult[] =>
    list.map((l) => html`<div>${l.device}: ${l.titles.join(", ")}</div>`);
  return html`
    <dt>No more</dt>
    <dd>${what.lost.length === 0 ? "no command is taken away" : rows(what.lost)}</dd>
    ${what.kept.length === 0 ? nothing : html`<dt>Still</dt><dd>${rows(what.kept)}</dd>`}
    ${what.essential.length === 0 ? nothing : html`<dt>Goes on</dt><dd>${what.essential.join("; ")}</dd>`}
  `;
}

customElements.define("containment-panel", ContainmentPanel);

declare global {
  interface HTMLElementTagNameMap {
    "containment-panel": ContainmentPanel;
  }
}
