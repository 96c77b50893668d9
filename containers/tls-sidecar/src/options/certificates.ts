// What we show clients, and how strong the encryption has to be.
import { choice, duration, option, path, text } from "@outrigger/options";

export const certificates = {
  cert: option({
    kind: path(),
    default: "/etc/certs/tls.crt",
    section: "Certificates",
    summary: "The certificate in PEM, followed by the intermediates up to the root. Read again when it changes.",
    aliases: { CERTIFICATE_PATH: String, CERT_PATH: String },
  }),
  key: option({
    kind: path(),
    default: "/etc/certs/tls.key",
    section: "Certificates",
    summary: "The certificate's private key in PEM, not encrypted.",
    aliases: { KEY_PATH: String },
  }),
  minVersion: option({
    kind: choice(["1.2", "1.3"]),
    default: "1.2",
    section: "Certificates",
    summary: "The lowest version of TLS that clients may use.",
  }),
  ciphers: option({
    kind: text("a list of OpenSSL cipher names with colons between them"),
    section: "Certificates",
    summary: "Cipher suites, in OpenSSL's notation. By default those of the runtime with forward secrecy.",
  }),
  curves: option({
    kind: text("a list of curve names with colons between them"),
    section: "Certificates",
    summary: "Groups for key exchange, such as `X25519:P-256`. By default those of the runtime.",
  }),
  rescanInterval: option({
    kind: duration({ positive: true }),
    default: "30s",
    section: "Certificates",
    summary: "How often the files are looked at even when nothing tells of a change.",
  }),
};
