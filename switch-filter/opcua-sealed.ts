import { X509Certificate } from "node:crypto";
import type { UaWay } from "#specs/plant.ts";
import type { UacpFrame } from "#wire/opcua/framer.ts";
import { type AsymmetricHeader, decodeAsymmetricHeader } from "#wire/opcua/message-chunk.ts";
import { decodeRequest } from "#wire/opcua/request.ts";
import { securityPolicyName } from "#wire/opcua/security-policy.ts";
import { describeWireError } from "#wire/wire-error.ts";
import { otherPolicy, otherService } from "./opcua-channel.ts";
import type { Direction } from "./opcua-direction.ts";
import type { UaExits } from "./opcua-exits.ts";
import type { UaJudgement } from "./opcua-judgement.ts";
import type { SessionOutput } from "./session.ts";

/** A channel between client and server whose keys this filter does not have. */
export interface SealedWay {
  readonly kind: "sealed";
  /** Bytes of the signature behind each chunk. undefined: the policy is not known, so nothing can be looked into. */
  readonly signatureBytes: number | undefined;
  /** What cannot be looked into passes: the link is declared opaque, or nothing is blocked here. */
  readonly passesUnseen: boolean;
  /** The link is declared opaque: nothing is looked into, even where it could be. */
  readonly declaredOpaque: boolean;
}

export interface SealedOptions {
  readonly way: SealedWay;
  readonly header: AsymmetricHeader;
  readonly judgement: UaJudgement;
  readonly exits: UaExits;
  readonly output: SessionOutput;
  readonly up: Direction;
  readonly down: Direction;
  /** It is open, and this is how. */
  readonly onOpen: (way: UaWay) => void;
}

/** `unknown` until the client's first message: OpenSecureChannel is encrypted, so the mode is read off what follows it. */
type Sight = "unknown" | "signed" | "unseen";

/**
 * Mode Sign without keys: the bodies can be read, and nothing can be put in or left out. A message is held until it has been judged whole,
 * and then passes in the chunks it came in; the only denial is the end of the connection. What is encrypted passes unseen where that is
 * declared, and else ends the connection as well. Signatures are not verified here: client and server do.
 */
export class UaSealed {
  readonly #options: SealedOptions;
  readonly #held: { readonly up: Buffer[]; readonly down: Buffer[] } = { up: [], down: [] };
  readonly #bytes = { up: 0, down: 0 };
  #sight: Sight;
  #channelId: number | undefined;

  constructor(options: SealedOptions) {
    this.#options = options;
    this.#sight = options.way.declaredOpaque ? "unseen" : "unknown";
    if (this.#sight === "unseen") this.#sayUnseen();
  }

  get passesUnseen(): boolean {
    return this.#sight === "unseen" || (this.#sight === "unknown" && this.#options.way.passesUnseen);
  }

  clientFrame(frame: UacpFrame, realMs: number): void {
    this.#bytes.up += frame.bytes.length;
    if (frame.type === "OPN") return this.#openRequest(frame);
    if (frame.type !== "MSG" && frame.type !== "CLO")
      return this.#options.exits.refuse({
        says: `a client may not send ${frame.type} here`,
        status: "BadTcpMessageTypeInvalid",
      });
    if (this.#sight === "unseen") return this.#options.output.toServer(frame.bytes);
    this.#held.up.push(frame.bytes);
    const says = this.#clientChunk(frame, realMs);
    if (says === undefined) return;
    if (this.#sight === "unknown") return this.#cannotSee(says);
    this.#options.exits.refuse({ says: says, status: "BadTcpInternalError" });
  }

  serverFrame(frame: UacpFrame): void {
    this.#bytes.down += frame.bytes.length;
    const { output, down } = this.#options;
    if (frame.type === "OPN") {
      const header = decodeAsymmetricHeader(frame.bytes);
      if (!header.ok) return this.#options.exits.badAnswer(describeWireError(header.error));
      this.#channelId = header.value.channelId;
      down.unseen();
      if (this.#sight === "unseen") this.#options.onOpen("sealed");
      return output.toClient(frame.bytes);
    }
    if (frame.type !== "MSG") return this.#options.exits.badAnswer(`a server may not send ${frame.type} here`);
    if (this.#sight === "unseen") return output.toClient(frame.bytes);
    if (this.#sight === "unknown") return this.#options.exits.badAnswer("a message came before any request");
    this.#held.down.push(frame.bytes);
    this.#serverChunk(frame);
  }

  /** Sizes and time are all that is known of what passed unseen. */
  closed(): void {
    if (this.#sight !== "unseen") return;
    const { up, down } = this.#bytes;
    this.#options.exits.notices.security(
      "info",
      `ended a channel that nobody looked into: ${up} bytes asked, ${down} answered`,
    );
  }

  #openRequest(frame: UacpFrame): void {
    const header = decodeAsymmetricHeader(frame.bytes);
    if (!header.ok)
      return this.#options.exits.refuse({ says: describeWireError(header.error), status: "BadTcpInternalError" });
    const changed = otherPolicy(this.#options.header.securityPolicyUri, header.value.securityPolicyUri);
    if (changed?.ok === false) return this.#options.exits.refuse(changed.error);
    // A renewal between the chunks of a message would be taken out of the order in which they are held.
    if (this.#held.up.length > 0)
      return this.#options.exits.refuse({
        says: "a renewal between the chunks of a message",
        status: "BadTcpInternalError",
      });
    this.#options.up.unseen();
    this.#options.output.toServer(frame.bytes);
  }

  /** Why the chunk cannot go on, if so. */
  #clientChunk(frame: UacpFrame, realMs: number): string | undefined {
    const { way, up, judgement, output } = this.#options;
    if (way.signatureBytes === undefined) return "its policy is not known here";
    if (this.#channelId === undefined) return "a message came before the channel was open";
    const taken = up.take(frame.bytes, this.#channelId, way.signatureBytes);
    if (!taken.ok) return taken.error.says;
    const { assembly } = taken.value;
    if (assembly.kind === "pending") return undefined;
    const release = (): void => {
      for (const bytes of this.#held.up.splice(0)) output.toServer(bytes);
    };
    if (assembly.kind === "aborted") return void release();
    const { requestId, body } = assembly;
    if (this.#sight === "unknown") {
      const first = decodeRequest(body);
      if (!first.ok || first.value.service === "unknown") return "its first message is no readable request";
      this.#sight = "signed";
      this.#options.onOpen("signed");
      this.#say("detection", "signed and not encrypted; it is judged, and a denial ends it");
    }
    if (frame.type === "CLO") {
      const wrong = otherService(body, "CloseSecureChannel");
      return wrong === undefined ? void release() : wrong.says;
    }
    const ruling = judgement.request(requestId, body, realMs);
    if (ruling.kind === "forward") return void release();
    if (ruling.kind === "close") return ruling.says;
    this.#options.exits.notices.security(
      "detection",
      `was denied on a signed channel, which can only be closed: ${ruling.says}`,
    );
    return void this.#options.exits.end({ says: `denied: ${ruling.says}`, status: "BadUserAccessDenied" });
  }

  #serverChunk(frame: UacpFrame): void {
    const { way, down, judgement, output } = this.#options;
    const taken = down.take(frame.bytes, this.#channelId, way.signatureBytes);
    if (!taken.ok) return this.#options.exits.badAnswer(taken.error.says);
    const { assembly } = taken.value;
    if (assembly.kind === "pending") return;
    const { requestId } = assembly;
    if (assembly.kind === "aborted") {
      if (!judgement.aborted(requestId))
        return this.#options.exits.badAnswer(`message ${requestId} answers no request`);
    } else {
      const ruling = judgement.answer(requestId, assembly.body);
      if (ruling.kind === "close") return this.#options.exits.badAnswer(ruling.says);
      if (ruling.kind === "withhold")
        return this.#options.exits.end({ says: ruling.says, status: "BadDataUnavailable" });
    }
    for (const bytes of this.#held.down.splice(0)) output.toClient(bytes);
  }

  /** The first message is not one in mode Sign: it is encrypted, or made to be misread. */
  #cannotSee(says: string): void {
    const { way, output, exits } = this.#options;
    if (!way.passesUnseen) {
      this.#say(
        "detection",
        `not readable (${says}), so it was refused; mode Sign can be looked into, or the link be declared opaque`,
      );
      return exits.end({ says: `security policy ${this.#policy}: ${says}`, status: "BadSecurityModeRejected" });
    }
    this.#sight = "unseen";
    this.#options.onOpen("sealed");
    this.#sayUnseen();
    for (const bytes of this.#held.up.splice(0)) output.toServer(bytes);
  }

  #sayUnseen(): void {
    const declared = this.#options.way.declaredOpaque;
    this.#say(
      declared ? "info" : "detection",
      `not looked into: ${declared ? "its link is declared opaque" : "in monitor mode it passes unjudged"}`,
    );
  }

  #say(severity: "detection" | "info", says: string): void {
    const { senderCertificate, receiverThumbprint } = this.#options.header;
    const client = certificateInWords(senderCertificate);
    const server = receiverThumbprint?.toString("hex") ?? "none";
    this.#options.exits.notices.security(
      severity,
      `has a channel under ${this.#policy}, client certificate ${client}, server certificate ${server}: ${says}`,
    );
  }

  get #policy(): string {
    return securityPolicyName(this.#options.header.securityPolicyUri);
  }
}

/** The subject, on one line, and the thumbprint by which certificates are known (OPC 10000-6 v1.05 §6.7.2.3). */
function certificateInWords(certificate: Buffer | null): string {
  if (certificate === null) return "none";
  try {
    const { subject, fingerprint } = new X509Certificate(certificate);
    return `${subject.replaceAll("\n", ", ")} (${fingerprint.replaceAll(":", "").toLowerCase()})`;
  } catch {
    return "that cannot be read";
  }
}
