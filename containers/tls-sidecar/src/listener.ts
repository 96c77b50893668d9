// The TLS listener: accepts, shakes hands within a time, checks who it is, and hands over connections that may pass.
import type { X509Certificate } from "node:crypto";
import type { TLSSocket } from "node:tls";

import { plainAddress } from "@outrigger/http";
import type { Address } from "@outrigger/options";
import type { Logger, MetricsOf } from "@outrigger/runtime";

import { createAccessTable } from "./access.ts";
import type { Access } from "./access.ts";
import { limitConnections } from "./connection-limits.ts";
import { identityOf } from "./identity.ts";
import type { Identity } from "./identity.ts";
import { listen } from "./listen.ts";
import type { Material } from "./material.ts";
import { HANDSHAKE_FAILURES, TLS_VERSIONS } from "./metrics.ts";
import type { HandshakeFailure, metrics as metricTable } from "./metrics.ts";
import type { Policy, Values } from "./policy.ts";
import { createProxyFront } from "./proxy-front.ts";
import type { Ends } from "./proxy-protocol.ts";
import { UNKNOWN_NAME, createTlsServer } from "./tls-server.ts";

export type Metrics = MetricsOf<typeof metricTable>;

/** Who a client is, by a certificate that has been verified. */
export type Client = { readonly certificate: X509Certificate; readonly identity: Identity };

/** Who was let in, by which rules, and from where. */
export type Admitted = {
  readonly client: Client | undefined;
  readonly access: Access;
  readonly ends: Ends | undefined;
};

export type ListenerSettings = {
  readonly values: Values;
  readonly material: Material;
  readonly metrics: Metrics;
  readonly log: Logger;
  /** Whether other threads listen on the same port. */
  readonly shared: boolean;
  /** Takes over a connection whose handshake and client are good. */
  onClient(socket: TLSSocket, admitted: Admitted): void;
};

export type Listener = {
  /** Binds; resolves with the address as bound, rejects when it is taken. */
  listen(address: Address): Promise<Address>;
  /** Serves new handshakes with this from now on; who is connected is not its business. */
  update(material: Material, values: Values): void;
  /** Encrypts session tickets with this key from now on, see TICKET_KEY_BYTES. */
  setTicketKey(key: Uint8Array): void;
  /** Accepts no more; resolves when the socket is closed. */
  close(): Promise<void>;
  /** Ends all connections, handshakes included. */
  destroyAll(): void;
};

export function createListener({ values, material, metrics, log, shared, onClient }: ListenerSettings): Listener {
  let access = createAccessTable(material, values);
  const count = countersOf(metrics);
  const { server, ...tls } = createTlsServer(values, material);
  const front = values.acceptProxyProtocol ? createProxyFront(values) : undefined;
  const listening = front?.server ?? server;
  const destroyAll = limitConnections(listening, values, metrics);
  front?.passTo(server, (address) => fail("bad_proxy_header", address));
  // No descriptors left, for instance: the clients that wait are served later, those connected go on.
  listening.on("error", (error) => {
    if (!listening.listening) return;
    count.acceptFailed.add(1);
    log.error({ error }, "accepting failed");
  });
  server.on("tlsClientError", (error: Error, socket: TLSSocket) => {
    fail(failureOf(error), socket.remoteAddress);
    socket.destroy();
  });
  server.on("secureConnection", (socket: TLSSocket) => {
    const asked = access.find(socket.servername as string | false | undefined);
    const { refusal, client } =
      asked === undefined ? { refusal: "unknown_name" as const } : judge(socket, asked.policy);
    if (refusal === undefined) {
      count.handshakes(socket);
      onClient(socket, { client, access: asked!, ends: front?.endsOf(socket) ?? endsOf(socket) });
      return;
    }
    socket.on("error", () => undefined);
    fail(refusal, socket.remoteAddress);
    socket.destroy();
  });

  return {
    listen: (address) => listen(listening, address, { flag: "--listen", shared }),
    update,
    setTicketKey: tls.setTicketKey,
    close,
    destroyAll,
  };

  function fail(reason: HandshakeFailure, client: string | undefined): void {
    count.failures.get(reason)!.add(1);
    log.debug({ reason, client }, "handshake failed");
  }

  function update(next: Material, nextValues: Values): void {
    access = createAccessTable(next, nextValues);
    tls.update(next, nextValues);
  }

  function close(): Promise<void> {
    return new Promise((resolve) => void listening.close(() => resolve()));
  }
}

/** The connection's own ends; undefined on a Unix socket. */
function endsOf({ remoteAddress, remotePort, localAddress, localPort }: TLSSocket): Ends | undefined {
  if (remoteAddress === undefined || localAddress === undefined) return undefined;
  return {
    source: { address: plainAddress(remoteAddress), port: remotePort ?? 0 },
    destination: { address: plainAddress(localAddress), port: localPort ?? 0 },
  };
}

/** The cells of the hot path, looked up once. */
function countersOf(metrics: Metrics) {
  const versions = TLS_VERSIONS.map((version) => ({
    full: metrics.handshakes.cell({ version, resumed: "false" }),
    resumed: metrics.handshakes.cell({ version, resumed: "true" }),
  }));
  return {
    acceptFailed: metrics.connectionsRefused.cell({ reason: "accept_failed" }),
    failures: new Map(HANDSHAKE_FAILURES.map((reason) => [reason, metrics.handshakeFailures.cell({ reason })])),
    handshakes: (socket: TLSSocket) => {
      const cells = versions[socket.getProtocol() === "TLSv1.2" ? 0 : 1]!;
      (socket.isSessionReused() ? cells.resumed : cells.full).add(1);
    },
  };
}

type Verdict = { readonly refusal?: HandshakeFailure | undefined; readonly client?: Client };

/** Who this client is, or why it may not pass; on every connection anew, as a resumed session is no proof that it may. */
function judge(socket: TLSSocket, policy: Policy): Verdict {
  if (policy.clientAuth === "none") return {};
  try {
    const certificate = socket.getPeerX509Certificate();
    if (certificate === undefined) return policy.clientAuth === "require" ? { refusal: "no_certificate" } : {};
    if (!socket.authorized) return { refusal: "bad_certificate" };
    const identity = identityOf(certificate);
    const refusal = policy.refusalOf(identity, Date.now());
    return refusal === undefined ? { client: { certificate, identity } } : { refusal };
  } catch {
    // A certificate that cannot even be read.
    return { refusal: "bad_certificate" };
  }
}

const FAILURE_BY_CODE: readonly (readonly [RegExp, HandshakeFailure])[] = [
  [new RegExp(UNKNOWN_NAME), "unknown_name"],
  [/HANDSHAKE_TIMEOUT/, "timeout"],
  [/ECONNRESET|EPIPE|ECONNABORTED/, "closed"],
  [/HTTP_REQUEST/, "plain_http"],
  [/UNSUPPORTED_PROTOCOL|VERSION_TOO_LOW|NO_PROTOCOLS/, "no_shared_version"],
  [/NO_SHARED_CIPHER|NO_SUITABLE|NO_SHARED_GROUP|NO_COMMON/, "no_shared_cipher"],
  [/_ALERT_/, "refused_by_client"],
  [/WRONG_VERSION_NUMBER|RECORD|UNEXPECTED_MESSAGE|DECODE|LENGTH|BAD_/, "bad_record"],
];

function failureOf(error: Error): HandshakeFailure {
  const code = (error as { code?: string }).code ?? error.message;
  return FAILURE_BY_CODE.find(([pattern]) => pattern.test(code))?.[1] ?? "other";
}
