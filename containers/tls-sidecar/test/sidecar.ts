// A TLS sidecar under test: its certificates on disk, and the container as a process in front of an application.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TLSSocket } from "node:tls";
import { connect } from "node:tls";

import type { CertificateAuthority, Cleanup, Container, IssuedCertificate, LeafRequest } from "@outrigger/testing";
import { createCertificateAuthority, spawnContainer, tempDir } from "@outrigger/testing";

const SERVER: LeafRequest = { commonName: "localhost", dns: ["localhost"], ips: ["127.0.0.1"] };

export type Files = {
  readonly folder: string;
  readonly authority: CertificateAuthority;
  /** Paths of files in the folder. */
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
  /** Writes a fresh certificate and key in place of those there; gives the certificate. */
  renew(request?: LeafRequest): Promise<IssuedCertificate>;
};

/** A folder with `tls.crt`, `tls.key` and `ca.crt`, all of one new authority. */
export async function createFiles(cleanup: Cleanup): Promise<Files> {
  const folder = tempDir(cleanup);
  const authority = await createCertificateAuthority();
  const [cert, key, ca] = ["tls.crt", "tls.key", "ca.crt"].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  const renew = async (request: LeafRequest = {}): Promise<IssuedCertificate> => {
    const issued = await authority.issue({ ...SERVER, ...request });
    writeFileSync(key, issued.key);
    writeFileSync(cert, issued.cert);
    return issued;
  };
  writeFileSync(ca, authority.pem);
  await renew();
  return { folder, authority, cert, key, ca, renew };
}

export type Sidecar = Container & {
  readonly files: Files;
  /** Where TLS clients connect. */
  readonly port: number;
};

export type SidecarOptions = {
  readonly target: string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly files?: Files;
  readonly cleanup: Cleanup;
  /** Whether flags name the files; otherwise something else has to. */
  readonly named?: boolean;
  /** Whether to wait until it is ready; needed unless the application is down. */
  readonly ready?: boolean;
};

/** Starts a sidecar on a free port, and waits until it serves. */
export async function startSidecar({
  target,
  args = [],
  env = {},
  cleanup,
  ready = true,
  named = true,
  ...given
}: SidecarOptions): Promise<Sidecar> {
  const files = given.files ?? (await createFiles(cleanup));
  const listen = ["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--drain-delay", "0"];
  const container = spawnContainer({
    name: "tls-sidecar",
    args: [
      ...listen,
      "--target",
      target,
      ...(named ? ["--cert", files.cert, "--key", files.key] : []),
      "--target-interval",
      "200ms",
      ...args,
    ],
    env,
    cleanup,
  });
  const address = await container.address("tls");
  if (ready) await container.waitForLog((record) => record.msg === "readiness changed" && record["ready"] === true);
  return Object.assign(container, { files, port: Number(address.split(":").at(-1)) });
}

export type ClientOptions = {
  readonly session?: Buffer | undefined;
  readonly cert?: IssuedCertificate | undefined;
  readonly version?: "TLSv1.2" | "TLSv1.3";
};

/** Options of a TLS client that trusts the sidecar's authority. */
export const clientOptions = ({ files }: { files: Files }, { session, cert, version }: ClientOptions = {}) => ({
  ca: files.authority.pem,
  servername: "localhost",
  ...(session === undefined ? {} : { session }),
  ...(cert === undefined ? {} : { cert: cert.cert, key: cert.key }),
  ...(version === undefined ? {} : { minVersion: version, maxVersion: version }),
});

export type Visit = {
  /** Whether a response came. */
  readonly admitted: boolean;
  readonly text: string;
  readonly reused: boolean;
  /** The last session ticket that the server gave. */
  readonly session: Buffer | undefined;
  readonly serial: string;
};

/** One connection with one request; tells whether the client was let in, and keeps its session. */
export function visit(sidecar: Sidecar, options: ClientOptions = {}, path = "/"): Promise<Visit> {
  const socket: TLSSocket = connect({ host: "127.0.0.1", port: sidecar.port, ...clientOptions(sidecar, options) });
  let session: Buffer | undefined;
  let text = "";
  let reused = false;
  let serial = "";
  socket.on("session", (ticket: Buffer) => (session = ticket));
  socket.once("secureConnect", () => {
    reused = socket.isSessionReused();
    serial = socket.getPeerX509Certificate()?.serialNumber ?? "";
    socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
  });
  socket.on("data", (bytes: Buffer) => (text += bytes.toString("latin1")));
  socket.on("error", () => undefined);
  return new Promise((resolve) => {
    socket.once("close", () => resolve({ admitted: text.startsWith("HTTP/1.1"), text, reused, session, serial }));
  });
}
