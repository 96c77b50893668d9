// The one certificate that every subject serves: ECDSA P-256, for localhost, signed by itself.
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Paths of PEM files: the certificate, its key, and both in one file (as haproxy and hitch want it). */
export type Certificate = { readonly certificate: string; readonly key: string; readonly pem: string };

export function makeCertificate(folder: string): Certificate {
  const files = {
    certificate: join(folder, "certificate.pem"),
    key: join(folder, "key.pem"),
    pem: join(folder, "both.pem"),
  };
  const request = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost";
  const names = ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"];
  execFileSync("openssl", [...request.split(" "), ...names, "-keyout", files.key, "-out", files.certificate], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  writeFileSync(files.pem, readFileSync(files.certificate, "utf8") + readFileSync(files.key, "utf8"), { mode: 0o600 });
  return files;
}
