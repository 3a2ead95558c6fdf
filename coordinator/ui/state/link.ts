import { durationWords } from "./words.ts";

// How the page stands with the coordinator. Losing it is a state with a name: nothing shown is current then.

export type LinkKind = "connecting" | "live" | "quiet" | "lost";

/** What the socket's shell knows; times are the page's own real ms. */
export interface SocketFacts {
  readonly open: boolean;
  /** A snapshot has come over the present socket. */
  readonly ready: boolean;
  /** A snapshot has come at any time. */
  readonly everReady: boolean;
  readonly lastMessageMs: number;
}

export const NO_SOCKET: SocketFacts = { open: false, ready: false, everReady: false, lastMessageMs: 0 };

/** Points report each 500 ms of real time, so an open socket without a word for this long is broken somewhere. */
export const QUIET_AFTER_MS = 5000;

export function linkKind(facts: SocketFacts, nowMs: number): LinkKind {
  if (!facts.open) return facts.everReady ? "lost" : "connecting";
  if (!facts.ready) return facts.everReady ? "lost" : "connecting";
  return nowMs - facts.lastMessageMs > QUIET_AFTER_MS ? "quiet" : "live";
}

export interface LinkLooks {
  readonly kind: LinkKind;
  readonly label: string;
  /** Empty while all is well. */
  readonly says: string;
}

export function linkLooks(facts: SocketFacts, nowMs: number): LinkLooks {
  const kind = linkKind(facts, nowMs);
  const age = durationWords(nowMs - facts.lastMessageMs);
  switch (kind) {
    case "connecting":
      return { kind, label: "connecting", says: "The page is connecting to the coordinator." };
    case "live":
      return { kind, label: "live", says: "" };
    case "quiet":
      return {
        kind,
        label: "coordinator silent",
        says: `The coordinator has said nothing for ${age}. Everything below is from then.`,
      };
    case "lost":
      return {
        kind,
        label: "coordinator lost",
        says: `The connection to the coordinator was lost ${age} ago. Everything below is from then; enforcement points go on with the phase they hold until their lease ends. Connecting again…`,
      };
    default:
      return kind satisfies never;
  }
}
