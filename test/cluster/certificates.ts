// Certificates for tests of TLS, by openssl: an authority, and whom it vouches for.

import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const days = "2";

/** An authority in `folder`; all files are PEM. */
export class Authority {
  /** Its certificate. */
  readonly file: string;
  readonly #folder: string;
  readonly #key: string;

  constructor(folder: string, name: string) {
    this.#folder = folder;
    this.file = join(folder, `${name}.pem`);
    this.#key = join(folder, `${name}.key`);
    openssl("req", "-x509", ...newKey, this.#key, "-out", this.file, "-days", days, "-subj", `/CN=${name}`);
  }

  /** A file with a key and a certificate for `subject` that holds for 127.0.0.1, and not for the name localhost. */
  issue(subject: string): string {
    const [key, request, certificate, both] = ["key", "csr", "crt", "pem"].map((ending) =>
      join(this.#folder, `${subject}.${ending}`),
    ) as [string, string, string, string];
    const extensions = join(this.#folder, "extensions");
    writeFileSync(extensions, "subjectAltName=IP:127.0.0.1\n");
    openssl("req", ...newKey, key, "-out", request, "-subj", `/CN=${subject}`);
    openssl(
      ...["x509", "-req", "-in", request, "-CA", this.file, "-CAkey", this.#key, "-CAcreateserial"],
      ...["-out", certificate, "-days", days, "-extfile", extensions],
    );
    writeFileSync(both, readFileSync(key, "utf8") + readFileSync(certificate, "utf8"));
    return both;
  }
}

const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout"];

/** The same key and certificate as a PKCS#12 file. */
export function asPkcs12(pem: string, password: string): string {
  const file = `${pem}.p12`;
  openssl("pkcs12", "-export", "-in", pem, "-out", file, "-passout", `pass:${password}`);
  return file;
}

function openssl(...args: string[]): void {
  execFileSync("openssl", args, { stdio: "pipe" });
}
