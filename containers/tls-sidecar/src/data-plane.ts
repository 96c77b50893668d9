// What serves clients on one thread: a listener, and behind it the HTTP proxy or the byte relay.
import type { TLSSocket } from "node:tls";

import { createDeadlines, createTrust, plainAddress } from "@outrigger/http";
import type { Peer } from "@outrigger/http";
import type { Address } from "@outrigger/options";
import type { Logger, Recorder } from "@outrigger/runtime";

import { createAdmissions } from "./admissions.ts";
import { createHttpService } from "./http-service.ts";
import { createIdentityLines } from "./identity-fields.ts";
import { createListener } from "./listener.ts";
import type { Client, Listener, Metrics } from "./listener.ts";
import type { Material } from "./material.ts";
import type { Values } from "./policy.ts";
import { createTcpService } from "./tcp-service.ts";

export type DataPlaneSettings = {
  readonly values: Values;
  readonly material: Material;
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly record: Recorder["record"];
  readonly shared: boolean;
  /** Called on each sweep of the timeouts, for liveness. */
  readonly beat?: () => void;
};

export type DataPlane = {
  listen(address: Address): Promise<Address>;
  update(material: Material, values: Values): void;
  /** Tells clients to go elsewhere after their next response, while still accepting. */
  discourage(): void;
  /** Accepts no more, and resolves when nothing is in flight. */
  drain(): Promise<void>;
  /** Ends everything at once. */
  close(): Promise<void>;
};

/** Serves the clients of one mode. */
export type Service = {
  /** Gives what ends the connection as gently as its protocol can. */
  serve(socket: TLSSocket, peer: Peer): () => void;
  discourage(): void;
  drain(): Promise<void>;
  close(): void;
};

export function createDataPlane(settings: DataPlaneSettings): DataPlane {
  const { values } = settings;
  const deadlines = createDeadlines(settings.beat);
  const service = (values.mode === "http" ? createHttpService : createTcpService)(settings, deadlines);
  const admissions = createAdmissions(settings, deadlines);
  const isTrusted = createTrust(values.trustedProxies);
  let linesOf = createIdentityLines(values.identityHeaders, settings.material.cert);
  const listener: Listener = createListener({
    ...settings,
    onClient: (socket, client) => admissions.admit(socket, client, service.serve(socket, peerOf(socket, client))),
  });
  return {
    listen: listener.listen,
    update: (material, nextValues) => {
      linesOf = createIdentityLines(values.identityHeaders, material.cert);
      listener.update(material, nextValues);
      admissions.update(material, nextValues);
    },
    discourage: service.discourage,
    // The listener is closed when the last connection is, handshakes included; only then is there nothing in flight.
    drain: async () => void (await Promise.all([listener.close(), service.drain()])),
    close: async () => {
      const closed = listener.close();
      listener.destroyAll();
      service.close();
      deadlines.stop();
      await closed;
    },
  };

  function peerOf(socket: TLSSocket, client: Client | undefined): Peer {
    const address = plainAddress(socket.remoteAddress ?? "");
    const localPort = socket.localPort ?? 0;
    const protocol = socket.alpnProtocol === "h2" ? "h2" : "http/1.1";
    return { address, localPort, scheme: "https", protocol, trusted: isTrusted(address), lines: linesOf(client) };
  }
}
