import type { Party } from "#point/observe/modbus.ts";
import type { UaNames } from "#point/observe/opcua-names.ts";
import type { Point } from "#point/point.ts";
import type { AsymmetricHeader } from "#wire/opcua/message-chunk.ts";
import { SECURITY_POLICY_NONE, securityPolicyName } from "#wire/opcua/security-policy.ts";
import { securityProfile, symmetricSignatureBytes } from "#wire/opcua/security-profile.ts";
import type { Refusal, UaChannel, UaUrls } from "./opcua-channel.ts";
import { ClearChannel } from "./opcua-clear.ts";
import type { UaTermination } from "./opcua-identity.ts";
import type { SealedWay } from "./opcua-sealed.ts";
import type { SessionStore } from "./opcua-sessions.ts";
import { TerminatedChannel } from "./opcua-terminated.ts";
import { trustedPeer } from "./opcua-trust.ts";

/** What the connections to one OPC UA server share. */
export interface UaServer {
  readonly names: UaNames;
  readonly urls: UaUrls;
  /** Absent: secured channels go through from end to end. */
  readonly termination?: { readonly with: UaTermination; readonly sessions: SessionStore };
}

/** How a channel is dealt with, by the policy that the client's first OPN asks for. */
export type Way =
  /** `judges` false: what may pass at all passes, for no rule is about an opaque link. `says`: worth a notice. */
  | { readonly kind: "channel"; readonly channel: UaChannel; readonly judges: boolean; readonly says?: string }
  | SealedWay
  | ({ readonly kind: "refused" } & Refusal);

/** Where a way is declared, no other is taken: a client that asks for less than it would be downgraded, one that asks for more unseen. */
export function chooseWay(point: Point, server: UaServer, party: Party, header: AsymmetricHeader, nowMs: number): Way {
  const { urls } = server;
  const link = party.link === undefined ? undefined : point.tables.links.get(party.link);
  const declaredOpaque = link?.opaque === true;
  const endsHere = link?.way === undefined ? !declaredOpaque : link.way === "ended";
  const enforces = point.enforces(party.link);
  const termination = endsHere ? offering(server.termination, !enforces) : undefined;
  const uri = header.securityPolicyUri;
  if (uri === SECURITY_POLICY_NONE) {
    // Where channels are to be secured, a session in the clear is a downgrade; finding the endpoints is all that it is for.
    const discoveryOnly = link?.way === undefined ? declaredOpaque || termination !== undefined : link.way !== "clear";
    const channel = new ClearChannel(urls, discoveryOnly, termination?.with);
    return { kind: "channel", channel, judges: !declaredOpaque };
  }
  if (link?.way === "clear" && enforces)
    return refused(
      "BadSecurityPolicyRejected",
      `asked for ${securityPolicyName(uri)}; the link is declared to be clear, and nothing could be judged in that way`,
    );
  if (termination !== undefined) return terminated(urls, termination, header, nowMs);
  // A bundle may declare it while the filter runs: `listenerProblem` refuses that, as it does at the start.
  if (link?.way === "ended" && enforces)
    return refused("BadSecurityPolicyRejected", `asked for ${securityPolicyName(uri)}, and no channel can end here`);
  return {
    kind: "sealed",
    signatureBytes: symmetricSignatureBytes(uri),
    passesUnseen: declaredOpaque || !enforces,
    declaredOpaque,
  };
}

function offering(termination: UaServer["termination"], offersClear: boolean): UaServer["termination"] {
  return termination && { ...termination, with: { ...termination.with, offersClear } };
}

function terminated(
  urls: UaUrls,
  { with: termination, sessions }: NonNullable<UaServer["termination"]>,
  header: AsymmetricHeader,
  nowMs: number,
): Way {
  const policy = securityPolicyName(header.securityPolicyUri);
  const profile = securityProfile(header.securityPolicyUri);
  if (profile === undefined)
    return refused(
      "BadSecurityPolicyRejected",
      `asked for security policy ${policy}, which is not one to be relied on`,
    );
  const client = trustedPeer(termination.clients, header.senderCertificate, nowMs);
  if ("says" in client) return refused(client.status, `asked for ${policy}, but ${client.says}`);
  const channel = new TerminatedChannel({ termination, profile, urls, client, sessions });
  const says = `opens a channel under ${policy} that ends here; the server sees this filter's certificate in place of ${client.subject}`;
  return { kind: "channel", channel, judges: true, says };
}

function refused(status: Refusal["status"], says: string): Way {
  return { kind: "refused", status, says };
}
