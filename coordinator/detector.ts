import type { NoticeMessage, ReceiptMessage } from "#point/bus.ts";
import type { TagId } from "#specs/ids.ts";
import type { Lifecycle } from "#specs/lifecycle.ts";
import type { Plant } from "#specs/plant.ts";
import { Correlator } from "./correlate.ts";
import { Detections, type Draft, fromFinding, fromNotice, type Judged, type Noted } from "./detections.ts";
import { type Earlier, explained } from "./explained.ts";
import type { PointView } from "./page-messages.ts";
import type { Standing } from "./standing.ts";
import type { Vouched } from "./vouched.ts";

/** What the detector must know of the present to judge. */
export interface Present extends Judged {
  readonly standing: Standing | undefined;
  readonly earlier: readonly Earlier[];
}

/** From receipts, notices and the health of points to detections. Pure but for its bounded memory. */
export class Detector {
  readonly list = new Detections();
  readonly #plant: Plant;
  readonly #spec: { readonly plant: Plant; readonly lifecycle: Lifecycle };
  readonly #correlator: Correlator;
  readonly #lost = new Set<string>();
  #receipts = 0;
  #denied = 0;

  constructor(plant: Plant, lifecycle: Lifecycle, skewMs: number | undefined) {
    this.#plant = plant;
    this.#spec = { plant, lifecycle };
    this.#correlator = new Correlator(plant, skewMs === undefined ? {} : { skewMs });
  }

  get counts(): { readonly receipts: number; readonly denied: number; readonly detections: number } {
    return { receipts: this.#receipts, denied: this.#denied, detections: this.list.total };
  }

  receipt(receipt: ReceiptMessage): void {
    this.#receipts += 1;
    if (receipt.verdict === "deny") this.#denied += 1;
    this.#correlator.add(receipt);
  }

  /** A tag as the guard in its PLC reports it. */
  tag(tag: TagId, value: number, atMs: number): void {
    this.#correlator.observeTag(tag, value, atMs);
  }

  notice(notice: NoticeMessage, present: Present): Noted {
    const { standing } = present;
    return this.list.note(fromNotice(notice, standing?.phase ?? null, standing?.epoch ?? null, present));
  }

  /** Judges every receipt that can be judged now. */
  judge(vouched: Vouched, present: Present): readonly Noted[] {
    return this.#correlator.judge(vouched, present.nowMs).map((finding) => {
      const why = finding.receipts
        .map((receipt) => explained(this.#spec, receipt, present.standing, present.earlier))
        .find((words) => words !== undefined);
      return this.list.note(fromFinding(this.#plant, finding, why, present));
    });
  }

  /** An expected point that fell silent, once each time. */
  health(points: readonly PointView[], present: Present): readonly Noted[] {
    const noted: Noted[] = [];
    for (const view of points) {
      const gone = view.expected && (view.health === "silent" || view.health === "down");
      if (!gone) this.#lost.delete(view.point);
      else if (!this.#lost.has(view.point)) {
        this.#lost.add(view.point);
        noted.push(this.list.note(lostPoint(view, present)));
      }
    }
    return noted;
  }

  /** Something to tell people that is no message of a point: a step that takes too long, evidence that cannot be written. */
  remark(reason: string, says: string, present: Present): Noted {
    return this.list.note({
      ...blank(present),
      severity: "notice",
      locus: [],
      reason,
      says,
      source: "coordinator",
      target: "",
    });
  }
}

function lostPoint(view: PointView, present: Present): Draft {
  return {
    ...blank(present),
    severity: "warning",
    locus: ["coordinator-link"],
    reason: view.health === "down" ? "POINT_DOWN" : "POINT_SILENT",
    says: `${view.point} is ${view.health}: ${view.says}`,
    source: view.point,
    target: "",
  };
}

function blank({ standing, nowMs, wallMs }: Present) {
  return {
    atMs: nowMs,
    judgedMs: nowMs,
    realMs: wallMs,
    confidence: 0.5,
    rule: null,
    tags: [],
    phase: standing?.phase ?? null,
    epoch: standing?.epoch ?? null,
    blocked: false,
    evidence: [],
  };
}
