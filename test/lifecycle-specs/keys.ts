import { generateKeyPairSync } from "node:crypto";
import type { JWK } from "jose";

export interface KeyPair {
  readonly secret: JWK;
  readonly open: JWK;
}

/** A new Ed25519 key, as JWK. */
export function newKey(): KeyPair {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  return { secret: privateKey.export({ format: "jwk" }), open: publicKey.export({ format: "jwk" }) };
}
