/** Encodes EndpointDescriptions (OPC 10000-4 v1.05 §7.14), for who hands out endpoints of its own. */
import { BinaryWriter } from "../binary-writer.ts";
import type { LocalizedText } from "../builtin-types.ts";
import type { ApplicationDescription, EndpointDescription, UserTokenPolicy } from "./discovery.ts";

const LOCALIZED_TEXT = { LOCALE: 0x01, TEXT: 0x02 } as const;

function writeLocalizedText(writer: BinaryWriter, { locale, text }: LocalizedText): void {
  writer.u8((locale === null ? 0 : LOCALIZED_TEXT.LOCALE) | (text === null ? 0 : LOCALIZED_TEXT.TEXT));
  if (locale !== null) writer.string(locale);
  if (text !== null) writer.string(text);
}

function writeApplicationDescription(writer: BinaryWriter, application: ApplicationDescription): void {
  writer.string(application.applicationUri).string(application.productUri);
  writeLocalizedText(writer, application.applicationName);
  writer.u32(application.applicationType).string(application.gatewayServerUri).string(application.discoveryProfileUri);
  writer.array(application.discoveryUrls, (w, url) => w.string(url));
}

function writeUserTokenPolicy(writer: BinaryWriter, policy: UserTokenPolicy): void {
  writer.string(policy.policyId).u32(policy.tokenType).string(policy.issuedTokenType);
  writer.string(policy.issuerEndpointUrl).string(policy.securityPolicyUri);
}

function writeEndpointDescription(writer: BinaryWriter, endpoint: EndpointDescription): void {
  writer.string(endpoint.endpointUrl);
  writeApplicationDescription(writer, endpoint.server);
  writer.byteString(endpoint.serverCertificate).u32(endpoint.securityMode).string(endpoint.securityPolicyUri);
  writer.array(endpoint.userIdentityTokens, writeUserTokenPolicy);
  writer.string(endpoint.transportProfileUri).u8(endpoint.securityLevel);
}

/** The array as it is on the wire. */
export function endpointsBytes(endpoints: readonly EndpointDescription[]): Buffer {
  return new BinaryWriter().array(endpoints, writeEndpointDescription).toBuffer();
}

/** SignatureData (OPC 10000-4 v1.05 §7.36) as it is on the wire. */
export function signatureBytes(algorithm: string | null, signature: Buffer | null): Buffer {
  return new BinaryWriter().string(algorithm).byteString(signature).toBuffer();
}
