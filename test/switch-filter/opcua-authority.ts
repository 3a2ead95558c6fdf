import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** A certificate authority by openssl, in a folder of its own. */
export class Authority {
  readonly certificate: string;
  readonly #folder: string;
  #serial = 0x0a00;

  constructor(folder: string, name = "authority") {
    mkdirSync(folder, { recursive: true });
    this.#folder = folder;
    this.certificate = join(folder, "ca.pem");
    writeFileSync(join(folder, "index.txt"), "");
    writeFileSync(join(folder, "crlnumber"), "01\n");
    writeFileSync(
      join(folder, "ca.cnf"),
      `[ca]\ndefault_ca = own\n[own]\ndatabase = ${folder}/index.txt\ncrlnumber = ${folder}/crlnumber\n` +
        `certificate = ${folder}/ca.pem\nprivate_key = ${folder}/ca.key\ndefault_md = sha256\ndefault_crl_days = 30\n`,
    );
    const extensions = ["basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign,cRLSign"];
    this.#openssl(
      ..."req -x509 -newkey rsa:2048 -nodes -days 30 -keyout ca.key -out ca.pem".split(" "),
      ...["-subj", `/CN=${name}`, ...extensions.flatMap((text) => ["-addext", text])],
    );
  }

  /** An application's or a user's certificate. */
  issue(name: string): { readonly certificate: string; readonly key: string } {
    const [certificate, key] = [join(this.#folder, `${name}.pem`), join(this.#folder, `${name}.key`)];
    this.#serial += 1;
    writeFileSync(
      join(this.#folder, `${name}.ext`),
      `subjectAltName=URI:urn:sekisho:test:${name},DNS:localhost\nbasicConstraints=CA:FALSE\n`,
    );
    this.#openssl(
      ..."req -new -newkey rsa:2048 -nodes".split(" "),
      "-keyout",
      key,
      "-out",
      `${name}.csr`,
      "-subj",
      `/CN=${name}`,
    );
    this.#openssl(
      ...`x509 -req -in ${name}.csr -CA ca.pem -CAkey ca.key -days 30 -extfile ${name}.ext -out ${certificate}`.split(
        " ",
      ),
      ...["-set_serial", `0x${this.#serial.toString(16).padStart(6, "0")}`],
    );
    return { certificate, key };
  }

  /** The revocation list, when these have been revoked as well. */
  revoke(form: "PEM" | "DER", ...names: readonly string[]): Buffer {
    for (const name of names) this.#openssl("ca", "-config", "ca.cnf", "-revoke", `${name}.pem`);
    this.#openssl("ca", "-config", "ca.cnf", "-gencrl", "-out", "list.pem");
    this.#openssl("crl", "-in", "list.pem", "-outform", form, "-out", "list");
    return readFileSync(join(this.#folder, "list"));
  }

  #openssl(...args: readonly string[]): void {
    // node-opcua leaves settings of openssl behind in the environment.
    const env = { PATH: process.env["PATH"] };
    execFileSync("openssl", args, { cwd: this.#folder, stdio: "pipe", env });
  }
}
