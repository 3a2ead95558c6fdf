/**
 * What each security policy prescribes for signing and encrypting (OPC 10000-7 v1.05 §6.6). The deprecated policies, whose SHA-1
 * signatures and PKCS #1 v1.5 padding no longer hold, have a signature length here, so that they can be looked into, and no more.
 */

/** RSA policies that are not deprecated: keys may be made and messages sealed with them. */
export interface SecurityProfile {
  readonly uri: string;
  /** Signature of the asymmetric algorithm: PKCS #1 v1.5 or PSS, both over SHA-256. */
  readonly asymmetricPss: boolean;
  /** Hash of RSA-OAEP. */
  readonly oaepHash: "sha1" | "sha256";
  /** Bytes of RSA-OAEP that are not plaintext: two hashes and 2. */
  readonly oaepOverheadBytes: number;
  /** URI of the asymmetric signature algorithm, as SignatureData names it. */
  readonly signatureAlgorithm: string;
  /** URI of the asymmetric encryption algorithm, as user identity tokens name it. */
  readonly encryptionAlgorithm: string;
  readonly signingKeyBytes: number;
  readonly encryptingKeyBytes: number;
  readonly cipher: "aes-128-cbc" | "aes-256-cbc";
  readonly nonceBytes: number;
}

const PREFIX = "http://opcfoundation.org/UA/SecurityPolicy#";
const RSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256";
const OAEP_SHA1 = "http://www.w3.org/2001/04/xmlenc#rsa-oaep";

/** Bytes of a block and of an initialisation vector of AES. */
export const AES_BLOCK_BYTES = 16;
/** Bytes of HMAC-SHA256. */
export const HMAC_SHA256_BYTES = 32;
const HMAC_SHA1_BYTES = 20;

const COMMON = { signingKeyBytes: 32, nonceBytes: 32 } as const;

const PROFILES: readonly SecurityProfile[] = [
  {
    ...COMMON,
    uri: `${PREFIX}Basic256Sha256`,
    asymmetricPss: false,
    oaepHash: "sha1",
    oaepOverheadBytes: 42,
    signatureAlgorithm: RSA_SHA256,
    encryptionAlgorithm: OAEP_SHA1,
    encryptingKeyBytes: 32,
    cipher: "aes-256-cbc",
  },
  {
    ...COMMON,
    uri: `${PREFIX}Aes128_Sha256_RsaOaep`,
    asymmetricPss: false,
    oaepHash: "sha1",
    oaepOverheadBytes: 42,
    signatureAlgorithm: RSA_SHA256,
    encryptionAlgorithm: OAEP_SHA1,
    encryptingKeyBytes: 16,
    cipher: "aes-128-cbc",
  },
  {
    ...COMMON,
    uri: `${PREFIX}Aes256_Sha256_RsaPss`,
    asymmetricPss: true,
    oaepHash: "sha256",
    oaepOverheadBytes: 66,
    signatureAlgorithm: "http://opcfoundation.org/UA/security/rsa-pss-sha2-256",
    encryptionAlgorithm: "http://opcfoundation.org/UA/security/rsa-oaep-sha2-256",
    encryptingKeyBytes: 32,
    cipher: "aes-256-cbc",
  },
];

/** The profile of a policy; undefined for None, for deprecated policies and for those not known here. */
export function securityProfile(uri: string): SecurityProfile | undefined {
  return PROFILES.find((profile) => profile.uri === uri);
}

/** The profile that a user signed by. Two policies share the first algorithm, and sign alike. */
export function profileOfSignature(algorithm: string): SecurityProfile | undefined {
  return PROFILES.find(({ signatureAlgorithm }) => signatureAlgorithm === algorithm);
}

/** The profile that a user identity token was encrypted by. Two policies share the first algorithm. */
export function profileOfEncryption(algorithm: string): SecurityProfile | undefined {
  return PROFILES.find(({ encryptionAlgorithm }) => encryptionAlgorithm === algorithm);
}

/** Bytes of the signature behind each chunk of an open channel; undefined for policies not known here. */
export function symmetricSignatureBytes(uri: string): number | undefined {
  if (uri === `${PREFIX}Basic128Rsa15` || uri === `${PREFIX}Basic256`) return HMAC_SHA1_BYTES;
  return securityProfile(uri) === undefined ? undefined : HMAC_SHA256_BYTES;
}
