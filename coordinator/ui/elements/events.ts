import type { Question } from "../state/actions.ts";

// What elements say upwards. Composed, so that it crosses shadow roots up to the page.

/** A person wants something; the page asks for confirmation. */
export class AskEvent extends Event {
  static readonly type = "sekisho-ask";
  readonly question: Question;
  constructor(question: Question) {
    super(AskEvent.type, { bubbles: true, composed: true });
    this.question = question;
  }
}

/** A person picked a detection to see on the path; undefined: the newest again. */
export class PickEvent extends Event {
  static readonly type = "sekisho-pick";
  readonly detection: string | undefined;
  constructor(detection: string | undefined) {
    super(PickEvent.type, { bubbles: true, composed: true });
    this.detection = detection;
  }
}
