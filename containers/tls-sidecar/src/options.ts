// The options of the TLS sidecar: the only place where they are described.
import { address, boolean, bytes, choice, duration, integer, list, option, path, text } from "@outrigger/options";

const onLoopback = (port: string): string => `127.0.0.1:${port}`;

const traffic = {
  listen: option({
    kind: address("0.0.0.0"),
    default: "0.0.0.0:8443",
    section: "Traffic",
    summary: "Where TLS clients connect.",
  }),
  target: option({
    kind: address("127.0.0.1"),
    default: "127.0.0.1:8000",
    section: "Traffic",
    summary:
      "The application, which speaks plain HTTP or TCP. Plain text must not leave the pod: only loopback and Unix sockets are accepted, unless `--unsafe-target` is given. `PROXY_PORT` is a port on loopback.",
    aliases: { PROXY_PORT: onLoopback },
  }),
  unsafeTarget: option({
    kind: boolean(),
    default: "false",
    section: "Traffic",
    summary: "Accept a target that is reached over a network, in plain text.",
  }),
  mode: option({
    kind: choice(["http", "tcp"]),
    default: "http",
    section: "Traffic",
    summary: "`http` understands requests and tells the application whom it serves; `tcp` passes bytes as they are.",
  }),
  trustedProxies: option({
    kind: list(text("an IP address or a CIDR block")),
    section: "Traffic",
    summary:
      "Addresses and CIDR blocks of proxies in front, whose `X-Forwarded-*` and `Forwarded` are kept and added to. Everyone else's are replaced.",
  }),
  identityHeaders: option({
    kind: list(choice(["xfcc", "client-cert", "client-cert-chain"])),
    section: "Traffic",
    summary:
      "What the application is told of a client's verified certificate: `xfcc` is Envoy's `X-Forwarded-Client-Cert`, the others are RFC 9440's `Client-Cert` and `Client-Cert-Chain`. What clients send of these is always removed.",
  }),
  accessLog: option({
    kind: boolean(),
    default: "true",
    section: "Traffic",
    summary: "Log each request (http) or connection (tcp) as one JSON line.",
  }),
  workers: option({
    kind: integer(1, 64),
    default: "1",
    section: "Traffic",
    summary: "Threads that serve clients, each with its own event loop. One is enough for a whole CPU.",
  }),
};

const TEN_YEARS_MS = 3650 * 86_400_000;

const legacy = {
  redirectListen: option({
    kind: address("0.0.0.0"),
    section: "Help for the application",
    summary:
      "Where clients that come by plain HTTP are sent on: each request is answered 308 with the same URL by HTTPS. By default nowhere.",
  }),
  redirectPort: option({
    kind: integer(1, 65_535),
    section: "Help for the application",
    summary:
      "The port in those URLs: the one at which clients reach the TLS listener, such as a Service's 443. By default the port of `--listen`.",
  }),
  hsts: option({
    kind: duration({ maxMs: TEN_YEARS_MS }),
    section: "Help for the application",
    summary:
      "Tell browsers with `Strict-Transport-Security` to come by HTTPS only for this long, such as `365d`, in place of what the application says; `0` makes them forget it. By default responses are left as they are.",
  }),
  rewriteLocation: option({
    kind: boolean(),
    default: "false",
    section: "Help for the application",
    summary: "Make `Location: http://` of the application's redirects to the host that was asked `https://`.",
  }),
  rewriteCookies: option({
    kind: boolean(),
    default: "false",
    section: "Help for the application",
    summary: "Add `Secure` to the cookies that the application sets without it.",
  }),
};

const certificates = {
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

const pattern = (what: string): ReturnType<typeof list<string>> => list(text(what));

const access = {
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

const health = {
  targetStatus: option({
    kind: text("a path that begins with /"),
    section: "Health of the application",
    summary: "A path of the application that answers 200 to 399 when it can serve. By default a connection is enough.",
  }),
  targetInterval: option({
    kind: duration({ positive: true }),
    default: "2s",
    section: "Health of the application",
    summary: "How often the application is asked; `/readyz` is 503 while it is down.",
  }),
};

const limits = {
  maxConnections: option({
    kind: integer(1, 1_000_000),
    default: "10000",
    section: "Limits",
    summary: "Clients that may be connected at a time, on each worker; further ones are closed at once.",
  }),
  maxConnectionsPerClient: option({
    kind: integer(1, 1_000_000),
    section: "Limits",
    summary:
      "Connections that one IP address may have at a time, on each worker; further ones are closed at once. `--trusted-proxies` are exempt, since they speak for many. By default as many as `--max-connections`.",
  }),
  maxHeaderSize: option({
    kind: bytes(),
    default: "16KiB",
    section: "Limits",
    summary: "The size of a request's or response's header.",
  }),
  maxHeaders: option({
    kind: integer(1, 10_000),
    default: "100",
    section: "Limits",
    summary: "The number of fields in a header.",
  }),
  maxIdleTargets: option({
    kind: integer(0, 100_000),
    default: "256",
    section: "Limits",
    summary: "Unused connections to the application that are kept for the next request, on each worker.",
  }),
};

const timeouts = {
  handshakeTimeout: option({
    kind: duration({ positive: true }),
    default: "10s",
    section: "Timeouts",
    summary: "From the connection to the end of the TLS handshake.",
  }),
  headerTimeout: option({
    kind: duration({ positive: true }),
    default: "10s",
    section: "Timeouts",
    summary: "From the first to the last byte of a request's header.",
  }),
  idleTimeout: option({
    kind: duration({ positive: true }),
    default: "60s",
    section: "Timeouts",
    summary: "How long a connection may stay without a request, and a body without a byte.",
  }),
  connectTimeout: option({
    kind: duration({ positive: true }),
    default: "5s",
    section: "Timeouts",
    summary: "For connecting to the application.",
  }),
  responseTimeout: option({
    kind: duration({ positive: true }),
    default: "60s",
    section: "Timeouts",
    summary: "From the last byte of a request to the first byte of the application's answer.",
  }),
  tunnelTimeout: option({
    kind: duration({ positive: true }),
    default: "1h",
    section: "Timeouts",
    summary: "How long nothing may move on an upgraded connection (WebSocket), or in mode tcp.",
  }),
  closeTimeout: option({
    kind: duration({ positive: true }),
    default: "10s",
    section: "Timeouts",
    summary: "How long one side may go on after the other has ended.",
  }),
  maxConnectionLifetime: option({
    kind: duration({ positive: true }),
    section: "Timeouts",
    summary:
      "How long a client may stay connected. In mode http the request in flight is finished first, and told `Connection: close`; upgraded connections, and those of mode tcp, are closed at once. By default for ever.",
  }),
  targetKeepAlive: option({
    kind: duration({ positive: true }),
    default: "4s",
    section: "Timeouts",
    summary:
      "How long an unused connection to the application is kept. Keep it below the application's own keep-alive time.",
  }),
};

export const options = {
  ...traffic,
  ...legacy,
  ...certificates,
  ...access,
  ...health,
  ...limits,
  ...timeouts,
} as const;
