// What we show clients, and how strong the encryption has to be.
import { boolean, choice, duration, option, path, text } from "@outrigger/options";

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
  sniDir: option({
    kind: path(),
    section: "Certificates",
    summary:
      "A folder with an entry for each further server name: a folder named as the host (`_.example.org` for any one label) with `tls.crt` and `tls.key`, or one file `<host>.pem` with both. `ca.crt` and `access.yaml` in it are the name's own client CA and rules, `ocsp.der` its OCSP response. Read again when it changes. Sessions are not resumed then.",
  }),
  strictSni: option({
    kind: boolean(),
    default: "false",
    section: "Certificates",
    summary:
      "Refuse clients that ask for no server name, or for one that is not in `--sni-dir`. By default they get `--cert`.",
  }),
  ocspStaple: option({
    kind: path(),
    section: "Certificates",
    summary:
      "An OCSP response for `--cert`, in DER, given to clients that ask for one. Read again when it changes. With Node.js only.",
  }),
  sessionTickets: option({
    kind: boolean(),
    default: "true",
    section: "Certificates",
    summary: "Let clients resume their sessions without a full handshake; each connection is judged anew all the same.",
  }),
  sessionTicketKey: option({
    kind: path(),
    section: "Certificates",
    summary:
      "A file with 48 random bytes that session tickets are encrypted with, so that a session can be resumed at another replica that has the same file. Read again when it changes. By default a random key. With Node.js only.",
  }),
  sessionTicketLifetime: option({
    kind: duration({ positive: true }),
    default: "12h",
    section: "Certificates",
    summary:
      "How long a random key for session tickets is used before another takes its place; with Node.js, as Bun changes its keys by itself.",
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
