import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import type { View } from "../state/model.ts";
import {
  groupOf,
  lifecycleStrip,
  type PhaseBox,
  phaseInfo,
  type StepView,
  stepViews,
  stepWords,
  waysOn,
} from "../state/phases.ts";
import { capital, durationWords, nameWords, phaseWords } from "../state/words.ts";
import { shared } from "./shared-styles.ts";

/** Where the plant stands: the phase in large letters, the lifecycle as a strip, the steps of the phase under it. */
export class PhasePanel extends LitElement {
  static override properties = { view: { attribute: false } };
  static override styles = [
    shared,
    css`
      .panel {
        display: grid;
        grid-template-columns: minmax(240px, 26%) 1fr;
        gap: 8px 24px;
        align-items: center;
      }
      .now {
        font-size: 26px;
        line-height: 1.15;
        font-weight: 650;
      }
      .step {
        font-size: 17px;
        font-weight: 600;
      }
      .strip {
        display: flex;
        align-items: stretch;
      }
      .strip li {
        display: flex;
        align-items: center;
        flex: 1 1 auto;
      }
      .arrow {
        flex: none;
        width: 18px;
        height: 10px;
      }
      .gap {
        flex: none;
        width: 14px;
      }
      .box {
        flex: 1;
        min-width: 0;
        min-height: 38px;
        padding: 4px 8px;
        display: flex;
        flex-direction: column;
        justify-content: center;
        text-align: center;
        border: 1px solid var(--line);
        border-radius: 3px;
        color: var(--ink-2);
        background: var(--panel);
      }
      .reachable {
        border-color: var(--line-strong);
        border-bottom-width: 3px;
        color: var(--ink);
      }
      .current {
        background: var(--ink);
        border-color: var(--ink);
        color: var(--panel);
        font-weight: 650;
      }
      .coming {
        border: 2px dashed var(--ink);
        color: var(--ink);
        font-weight: 600;
      }
      .box .small {
        font-weight: 400;
      }
      .steps {
        display: flex;
        flex-wrap: wrap;
        gap: 4px 6px;
        align-items: center;
        margin-top: 8px;
      }
      .steps li {
        display: flex;
        gap: 6px;
        align-items: center;
        padding: 1px 9px 1px 6px;
        border: 1px solid var(--line);
        border-radius: 12px;
        color: var(--ink-2);
        font-size: 12px;
      }
      .steps .active,
      .steps .possible {
        color: var(--ink);
        border-color: var(--ink);
        font-weight: 650;
      }
      .steps .possible {
        border-style: dashed;
      }
      #onward {
        margin-top: 4px;
      }
      .steps svg {
        width: 10px;
        height: 10px;
      }
      @media (max-width: 900px) {
        .panel {
          grid-template-columns: 1fr;
        }
        .strip {
          flex-wrap: wrap;
          gap: 4px 0;
        }
      }
    `,
  ];
  declare view: View;

  override render(): TemplateResult {
    const { plant, state } = this.view;
    const steps = stepViews(plant, state);
    const inner = state.phase?.split(".")[1];
    return html`<section class="panel" aria-label="Phase">
      <div>
        <div class="now" id="phase">${capital(nameWords(groupOf(state.phase ?? "unknown")))}</div>
        ${inner === undefined ? nothing : html`<div class="step" id="inner-phase">${capital(nameWords(inner))}</div>`}
        ${
          state.steps.length > 0
            ? html`<div class="step" id="step">${capital(stepWords(state.steps))}${state.steps.length > 1 ? html` <span class="quiet small">one of these</span>` : nothing}</div>`
            : nothing
        }
        <p class="quiet">${this.#says()}</p>
      </div>
      <div>
        <ol class="strip" aria-label="Lifecycle">
          ${lifecycleStrip(plant, state).map((b, i) => this.#box(b, i))}
        </ol>
        ${steps.length > 0 ? html`<ol class="steps" aria-label="Steps of this phase">${steps.map((s) => this.#step(s))}</ol>` : nothing}
        ${this.#waysOn()}
      </div>
    </section>`;
  }

  #says(): TemplateResult {
    const { plant, state } = this.view;
    const step = phaseInfo(plant, state.phase)?.steps.find((s) => state.steps.length === 1 && s.id === state.steps[0]);
    const says = step?.says ?? (state.phaseSays || "No phase is known yet.");
    const since =
      state.phase === null
        ? nothing
        : html`<span class="small">Since ${durationWords(state.atMs - state.sinceMs)}.</span>`;
    return html`${says} ${since}`;
  }

  #box(box: PhaseBox, index: number): TemplateResult {
    const kind = box.current ? "current" : box.coming ? "coming" : box.reachable ? "reachable" : "";
    const inner = box.inner.find((p) => p.current);
    return html`<li aria-current=${box.current ? "true" : nothing}>
      ${index === 0 ? nothing : box.follows ? arrow : html`<span class="gap"></span>`}
      <span class="box ${kind}">
        ${box.label}
        ${inner === undefined ? nothing : html`<span class="small">${inner.label}</span>`}
        ${box.coming ? html`<span class="small">changing</span>` : nothing}
        ${box.reachable && !box.coming ? html`<span class="visually-hidden">, can come next</span>` : nothing}
      </span>
    </li>`;
  }

  #step(step: StepView): TemplateResult {
    const says = { passed: "before", possible: "possible", active: "now", ahead: "ahead" }[step.mark];
    return html`<li class=${step.mark} title=${step.says} aria-current=${step.mark === "active" ? "step" : nothing}>
      ${stepMark(step.mark)} ${step.label}<span class="visually-hidden">, ${says}</span>
    </li>`;
  }

  #waysOn(): TemplateResult | typeof nothing {
    const ways = waysOn(this.view.plant, this.view.state);
    if (ways.length === 0) return nothing;
    return html`<ul class="small quiet" id="onward">
      ${ways.map(
        (w) => html`<li title=${w.rule}>
          Goes on to ${phaseWords(w.to)} by itself${w.waitsFor === "" ? "." : `. Still missing: ${w.waitsFor}.`}
        </li>`,
      )}
    </ul>`;
  }
}

const arrow = html`<svg class="arrow" viewBox="0 0 18 10" aria-hidden="true">
  <path d="M2 5h12M10 1.5 14.5 5 10 8.5" fill="none" stroke="var(--line-strong)" stroke-width="1.4" />
</svg>`;

function stepMark(mark: StepView["mark"]): TemplateResult {
  const fill = mark === "active" ? "var(--ink)" : mark === "passed" ? "var(--fill)" : "none";
  return html`<svg viewBox="0 0 10 10" aria-hidden="true">
    <circle cx="5" cy="5" r="4" fill=${fill} stroke="var(--ink-2)" stroke-dasharray=${mark === "possible" ? "2 1.5" : "none"} />
  </svg>`;
}

customElements.define("phase-panel", PhasePanel);

declare global {
  interface HTMLElementTagNameMap {
    "phase-panel": PhasePanel;
  }
}
