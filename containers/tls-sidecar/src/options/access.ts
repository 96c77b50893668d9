// Which clients may connect.
import { boolean, choice, list, option, path, text } from "@outrigger/options";

const pattern = (what: string): ReturnType<typeof list<string>> => list(text(what));

export const access = {
  clientAuth: option({
    kind: choice(["none", "request", "require"]),
    default: "none",
    section: "Client certificates",
    summary:
      "`require` lets in only clients whose certificate is of `--client-ca` and allowed by one of the lists below; `request` lets in clients without a certificate, too.",
  }),
  clientCa: option({
    kind: path(),
    section: "Client certificates",
    summary: "The CA certificates, in PEM, that clients' certificates must descend from. Read again when it changes.",
    aliases: { CACERT_PATH: String },
  }),
  allowAll: option({
    kind: boolean(),
    default: "false",
    section: "Client certificates",
    summary: "Every certificate of the client CA is allowed.",
  }),
  allowCn: option({
    kind: pattern("a common name"),
    section: "Client certificates",
    summary: "Allowed common names. All `--allow-*` lists are alternatives: one match is enough.",
  }),
  allowOu: option({
    kind: pattern("an organizational unit"),
    section: "Client certificates",
    summary: "Allowed organizational units.",
  }),
  allowDns: option({
    kind: pattern("a DNS name"),
    section: "Client certificates",
    summary: "Allowed DNS names among the certificate's subject alternative names.",
  }),
  allowUri: option({
    kind: pattern("a URI, where * stands for one segment and ** at the end for the rest"),
    section: "Client certificates",
    summary:
      "Allowed URIs among the subject alternative names, such as `spiffe://example.org/ns/*/sa/web`; `*` stands for one segment, `**` at the end for the rest.",
  }),
  allowIp: option({
    kind: pattern("an IP address"),
    section: "Client certificates",
    summary: "Allowed IP addresses among the subject alternative names.",
  }),
  allowSpki: option({
    kind: pattern("sha256: and the base64 digest of a public key"),
    section: "Client certificates",
    summary:
      "Allowed public keys, as `sha256:<base64 of the SHA-256 of the SubjectPublicKeyInfo>`. The certificate must be of the client CA all the same.",
  }),
};
