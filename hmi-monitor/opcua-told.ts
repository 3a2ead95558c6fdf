import type { Reading } from "#point/readings.ts";
import type { TagId } from "#specs/ids.ts";
import type { UaRequest } from "#wire/opcua/request.ts";
import type { UaResponse } from "#wire/opcua/response.ts";

/** Subscriptions of one connection whose keep-alives are waited for. */
export const MAX_WATCHED = 100;
/** A keep-alive may come later than its time by half of it, and by this, ms: the server's cycle, the network, the mirror. */
const LATE_MS = 2000;
/** So many looks in a row must find a value suspect that is still shown: what belongs together may be told one after the other. */
const LOOKS = 2;

/**
 * Encoding id of StatusChangeNotification: the server has ended the subscription, or it is another session's now, and tells nothing more
 * here. OPC 10000-4 v1.05 §5.14.7, §7.25.4
 */
const STATUS_CHANGE_ID = "i=820";

interface Watched {
  /** "…the maximum keep-alive count … when the publishing timer has expired this number of times": OPC 10000-4 v1.05 §5.14.2. */
  readonly everyMs: number;
  heardMs: number;
  isSilent: boolean;
}

interface Shown {
  readonly value: number;
  failing: number;
}

/**
 * What subscriptions tell over one connection, and what they do not. As long as a client waits with a Publish request the server sends at
 * least keep-alives; and what was told last is what the client still shows.
 */
export class UaTold {
  readonly #watched = new Map<number, Watched>();
  /** By tag, so bounded by the plant. */
  readonly #shown = new Map<TagId, Shown>();
  /** Publish requests without an answer, and since when there has been one. */
  #waiting = 0;
  #waitingSinceMs = 0;

  asked(request: UaRequest, timeMs: number): void {
    switch (request.service) {
      case "Publish":
        if (this.#waiting === 0) this.#waitingSinceMs = timeMs;
        this.#waiting += 1;
        return;
      case "ModifySubscription":
        this.#watched.delete(request.subscriptionId);
        return;
      case "DeleteSubscriptions":
        for (const id of request.subscriptionIds) this.#watched.delete(id);
        return;
      case "CloseSession":
        this.lost();
        this.#watched.clear();
        return;
      default:
    }
  }

  /** @param readings what the answer tells */
  answered(request: UaRequest, response: UaResponse, readings: readonly Reading[], timeMs: number): void {
    if (request.service === "Publish") this.#waiting = Math.max(0, this.#waiting - 1);
    if (response.service === "CreateSubscription") this.#watch(response, timeMs);
    if (response.service !== "Publish") return;
    const watched = this.#watched.get(response.subscriptionId);
    if (response.otherNotifications.some(({ typeId }) => typeId.text === STATUS_CHANGE_ID))
      this.#watched.delete(response.subscriptionId);
    else if (watched !== undefined) {
      watched.heardMs = timeMs;
      watched.isSilent = false;
    }
    for (const { tag, value } of readings) this.#shown.set(tag, { value, failing: 0 });
  }

  /** Bytes are missing, and with them answers: what is shown is not known any more, nor who waits for what. */
  lost(): void {
    this.#shown.clear();
    this.#waiting = 0;
  }

  /** Subscriptions that have newly been silent for too long, with the ms within which each should have been heard. */
  silent(timeMs: number): readonly { readonly id: number; readonly withinMs: number }[] {
    if (this.#waiting === 0) return [];
    return [...this.#watched].flatMap(([id, watched]) => {
      const withinMs = 1.5 * watched.everyMs + LATE_MS;
      if (watched.isSilent || timeMs - Math.max(watched.heardMs, this.#waitingSinceMs) <= withinMs) return [];
      watched.isSilent = true;
      return [{ id, withinMs }];
    });
  }

  /** What the client still shows of its subscriptions that are heard. */
  shown(tagsOf: (subscriptionId: number) => readonly (TagId | undefined)[] | undefined): readonly Reading[] {
    if (this.#shown.size === 0) return [];
    const heard = [...this.#watched].flatMap(([id, { isSilent }]) => (isSilent ? [] : (tagsOf(id) ?? [])));
    return [...new Set(heard)].flatMap((tag) => {
      const value = tag === undefined ? undefined : this.#shown.get(tag)?.value;
      return tag === undefined || value === undefined ? [] : [{ tag, value }];
    });
  }

  /** Whether it is suspect what is still shown of a tag. @returns true: it has newly come to be told */
  isNews(tag: TagId, isSuspect: boolean): boolean {
    const shown = this.#shown.get(tag);
    if (shown === undefined) return false;
    shown.failing = isSuspect ? shown.failing + 1 : 0;
    return shown.failing === LOOKS;
  }

  #watch(response: Extract<UaResponse, { service: "CreateSubscription" }>, timeMs: number): void {
    const { subscriptionId, revisedPublishingIntervalMs, revisedMaxKeepAliveCount } = response;
    const everyMs = revisedPublishingIntervalMs * revisedMaxKeepAliveCount;
    if (!(everyMs > 0) || (this.#watched.size >= MAX_WATCHED && !this.#watched.has(subscriptionId))) return;
    this.#watched.set(subscriptionId, { everyMs, heardMs: timeMs, isSilent: false });
  }
}
