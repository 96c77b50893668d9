// What serves clients on one thread: a listener, and behind it the HTTP proxy or the byte relay.
import type { TLSSocket } from "node:tls";

import { createDeadlines, createTrust } from "@outrigger/http";
import type { Peer } from "@outrigger/http";
import type { Address } from "@outrigger/options";
import type { Logger, Recorder } from "@outrigger/runtime";

import { createAccessTable } from "./access.ts";
import { createAdmissions } from "./admissions.ts";
import { createHttpService } from "./http-service.ts";
import { createIdentityLines } from "./identity-fields.ts";
import { createListener } from "./listener.ts";
import type { Admitted, Client, Listener, Metrics } from "./listener.ts";
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
  /** Encrypts session tickets with this key from now on. */
  setTicketKey(key: Uint8Array): void;
  /** Tells clients to go elsewhere after their next response, while still accepting. */
  discourage(): void;
  /** Accepts no more, and resolves when nothing is in flight. */
  drain(): Promise<void>;
  /** Ends everything at once. */
  close(): Promise<void>;
};

/** A client with what was verified of it, and where its connection is from and to. */
export type SidecarPeer = Peer & Pick<Admitted, "client" | "ends">;

/** Serves the clients of one mode. */
export type Service = {
  /** Gives what ends the connection as gently as its protocol can. */
  serve(socket: TLSSocket, peer: SidecarPeer): () => void;
  /** Serves by these values from now on, of those that can change. */
  update(values: Values): void;
  discourage(): void;
  drain(): Promise<void>;
  close(): void;
};

export function createDataPlane(settings: DataPlaneSettings): DataPlane {
  const { values } = settings;
  const deadlines = createDeadlines(settings.beat);
  let table = createAccessTable(settings.material, values);
  const fits = (host: string, name: string): boolean => table.fits(host, name);
  const service =
    values.mode === "http" ? createHttpService(settings, deadlines, fits) : createTcpService(settings, deadlines);
  const admissions = createAdmissions(settings, deadlines);
  const isTrusted = createTrust(values.trustedProxies);
  const lines = createLinesByCertificate(values);
  const listener: Listener = createListener({
    ...settings,
    onClient: (socket, admitted) => admissions.admit(socket, admitted, service.serve(socket, peerOf(socket, admitted))),
  });
  return {
    listen: listener.listen,
    update: (material, nextValues) => {
      lines.clear();
      table = createAccessTable(material, nextValues);
      listener.update(material, nextValues);
      admissions.update(material, nextValues);
      service.update(nextValues);
    },
    setTicketKey: listener.setTicketKey,
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

  function peerOf({ alpnProtocol }: TLSSocket, { client, access: { name, cert }, ends }: Admitted): SidecarPeer {
    const address = ends?.source.address ?? "";
    return {
      address,
      localPort: ends?.destination.port ?? 0,
      scheme: "https",
      protocol: alpnProtocol === "h2" ? "h2" : "http/1.1",
      trusted: isTrusted(address),
      serverName: name,
      lines: lines.of(cert, client),
      client,
      ends,
    };
  }
}

/** The identity lines of clients, made for the certificate that each was shown; kept until certificates change. */
function createLinesByCertificate({ identityHeaders }: Values) {
  const byCertificate = new Map<string, ReturnType<typeof createIdentityLines>>();
  return {
    of: (cert: string, client: Client | undefined): string => {
      if (client === undefined || identityHeaders.length === 0) return "";
      const known = byCertificate.get(cert) ?? createIdentityLines(identityHeaders, cert);
      byCertificate.set(cert, known);
      return known(client);
    },
    clear: () => byCertificate.clear(),
  };
}
