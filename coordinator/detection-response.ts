import type { NoticeMessage } from "#point/bus.ts";
import type { PlantClock } from "#point/clock.ts";
import type { Bundle } from "#specs/bundle.ts";
import type { PhaseId, TagId } from "#specs/ids.ts";
import { type ContainmentPolicy, follow } from "./containment.ts";
import type { Noted } from "./detections.ts";
import type { Detector, Present } from "./detector.ts";
import type { EvidenceLog } from "./evidence-log.ts";
import type { Detection, PointView } from "./page-messages.ts";
import type { Points } from "./points.ts";
import type { Proposals } from "./proposals.ts";
import type { Vouched } from "./vouched.ts";
import type { ZoneLead } from "./zone-lead.ts";

export interface DetectionResponseParts {
  readonly bundle: Bundle;
  readonly policy: ContainmentPolicy;
  readonly clock: PlantClock;
  readonly log: EvidenceLog;
  readonly points: Points;
  readonly detector: Detector;
  readonly proposals: Proposals;
  readonly lead: ZoneLead;
}

/** What a detection leads to: it is logged, told to whoever listens, and contained or proposed for containment, as the policy says. */
export class DetectionResponse {
  readonly #parts: DetectionResponseParts;
  readonly #tags: ReadonlyMap<string, TagId>;
  readonly #listeners: ((detection: Detection) => void)[] = [];

  constructor(parts: DetectionResponseParts) {
    this.#parts = parts;
    this.#tags = new Map(parts.bundle.plant.tags.map(({ id }) => [id, id]));
  }

  onDetection(listener: (detection: Detection) => void): void {
    this.#listeners.push(listener);
  }

  /** Every receipt that can be judged now. */
  judge(): void {
    this.#noted(this.#parts.detector.judge(this.#vouched(), this.#present()));
  }

  notice(notice: NoticeMessage): void {
    this.#noted([this.#parts.detector.notice(notice, this.#present())]);
  }

  health(points: readonly PointView[]): void {
    this.#noted(this.#parts.detector.health(points, this.#present()));
  }

  /** The coordinator's own word. */
  remark(code: string, says: string): void {
    this.#noted([this.#parts.detector.remark(code, says, this.#present())]);
  }

  /** A containment is taken on account of this detection. */
  contained(id: string, to: PhaseId): void {
    const marked = this.#parts.detector.list.markContainment(id, to);
    if (marked !== undefined) this.#tell(marked);
  }

  /** Work whose end nobody waits for; that it failed is told. */
  background(work: Promise<unknown>): void {
    work.catch((error: unknown) => this.remark("INTERNAL", String(error)));
  }

  #noted(list: readonly Noted[]): void {
    for (const { detection, fresh } of list) {
      if (fresh) this.#parts.log.append({ kind: "detection", ...detection });
      this.#tell(detection);
      this.#follow(detection);
    }
  }

  #follow(detection: Detection): void {
    const { bundle, policy, clock, log, proposals, lead } = this.#parts;
    const { standing } = lead;
    if (standing === undefined) return;
    const tags = detection.tags.flatMap((name) => this.#tags.get(name) ?? []);
    const then = follow(bundle.lifecycle, standing.phase, { ...detection, tags }, policy);
    if (then.follow === "nothing") return;
    const { choice } = then;
    if (then.follow === "propose") {
      proposals.propose(choice, standing.phase, detection.id, detection.atMs, then.takable, then.whyNot);
      return;
    }
    const { id } = detection;
    log.append({ kind: "containment", atMs: clock.now(), detection: id, to: choice.to, says: choice.says });
    this.background(lead.contain(choice, `detection ${id}`));
    this.contained(id, choice.to);
  }

  #tell(detection: Detection): void {
    for (const listener of this.#listeners) listener(detection);
  }

  #present(): Present {
    const { clock, lead } = this.#parts;
    const nowMs = clock.now();
    return { standing: lead.standing, earlier: lead.earlier(nowMs), nowMs, wallMs: Date.now() };
  }

  #vouched(): Vouched {
    const { points } = this.#parts;
    const realMs = performance.now();
    return {
      judgedUpToMs: (layer) => points.judgedUpToMs(layer, realMs),
      saw: (layer, atMs) => points.saw(layer, atMs, realMs),
    };
  }
}
