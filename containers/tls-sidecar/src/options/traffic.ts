// Where clients connect, where the application is, and what passes between them.
import { address, boolean, choice, integerOr, list, option, text } from "@outrigger/options";

const onLoopback = (port: string): string => `127.0.0.1:${port}`;

export const traffic = {
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
  targetProtocol: option({
    kind: choice(["http1", "h2c"]),
    default: "http1",
    section: "Traffic",
    summary:
      "What the application speaks in mode `http`: HTTP/1.1, or HTTP/2 in plain text (`h2c`), as gRPC servers do; clients then have to speak HTTP/2.",
  }),
  alpn: option({
    kind: list(choice(["h2", "http/1.1"])),
    section: "Traffic",
    summary:
      "Protocols that clients are offered by ALPN, the first that both sides know being taken. By default `h2,http/1.1` in mode `http` (`h2` alone with `--target-protocol h2c`), and none in mode `tcp`, where they are for the application to speak.",
  }),
  trustedProxies: option({
    kind: list(text("an IP address or a CIDR block")),
    section: "Traffic",
    summary:
      "Addresses and CIDR blocks of proxies in front, whose `X-Forwarded-*` and `Forwarded` are kept and added to. Everyone else's are replaced.",
  }),
  acceptProxyProtocol: option({
    kind: boolean(),
    default: "false",
    section: "Traffic",
    summary:
      "Connections of `--trusted-proxies` begin with a header of the PROXY protocol, version 1 or 2, that says who the client is. Everyone else's begin with TLS as ever.",
  }),
  proxyProtocol: option({
    kind: choice(["off", "v1", "v2", "v2-tls", "v2-cert"]),
    default: "off",
    section: "Traffic",
    summary:
      "In mode `tcp`, begin each connection to the application with a header of the PROXY protocol: `v2-tls` also tells ALPN, server name, version, cipher and the client's common name, `v2-cert` its whole certificate besides.",
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
    kind: integerOr("auto", 1, 64),
    default: "1",
    section: "Traffic",
    summary:
      "Threads that serve clients, each with its own event loop. One is enough for a whole CPU; `auto` has as many as the process may use.",
  }),
};
