// The TLS sidecar in the demo: one for everyone, and a second one before the same application for mutual TLS.
import { writeFileSync } from "node:fs";
import { join } from "node:path";

import type { IssuedCertificate, LeafRequest, LogRecord } from "@outrigger/testing";
import { until } from "@outrigger/testing";

import type { ContainerProcess } from "../container.ts";
import type { Part, Pod, RunningPart } from "../part.ts";
import { checksOf } from "./checks.ts";
import { servedSerial } from "./client.ts";

/** A sidecar of the demo, where it is reached. */
export type Sidecar = { readonly process: ContainerProcess; readonly port: number; readonly adminPort: number };

/** Both sidecars, and their certificates. */
export type Scene = {
  readonly pod: Pod;
  /** HTTPS for everyone. */
  readonly open: Sidecar;
  /** Only for the client with `client`. */
  readonly mutual: Sidecar;
  readonly client: IssuedCertificate;
  /** Puts a new certificate in place of the open one's, valid a day longer than the last. */
  readonly renew: () => Promise<IssuedCertificate>;
};

const CLIENT_NAME = "demo-client";

const DAY_MS = 86_400_000;
const SERVER: LeafRequest = { commonName: "localhost", dns: ["localhost"], ips: ["127.0.0.1", "::1"] };

function write(folder: string, name: string, { cert, key }: IssuedCertificate): void {
  writeFileSync(join(folder, `${name}.key`), key, { mode: 0o600 });
  writeFileSync(join(folder, `${name}.crt`), cert);
}

function createRenewal({ folder, authority }: Pod): Scene["renew"] {
  let days = 30;
  return async () => {
    const issued = await authority.issue({ ...SERVER, notAfter: new Date(Date.now() + days++ * DAY_MS) });
    write(folder, "tls", issued);
    return issued;
  };
}

/** `200 GET /words/apple 1.2 ms, from 127.0.0.1 to localhost:8443` */
function compact({ msg, request, status, milliseconds, host, client }: LogRecord): string | undefined {
  if (msg !== "request" || request === undefined) return undefined;
  const words = String(request).replace(/ HTTP\/1\.[01]$/, "");
  return `${status} ${words}  ${milliseconds} ms, from ${client} to ${host}`;
}

type Place = { readonly label: string; readonly port: number; readonly adminPort: number; readonly cert: string };
type Flags = Readonly<Record<string, string>>;

async function startSidecar(pod: Pod, place: Place, more: Flags = {}): Promise<Sidecar> {
  const flags: Flags = {
    listen: `127.0.0.1:${await pod.portFor(place.port)}`,
    "admin-listen": `127.0.0.1:${await pod.portFor(place.adminPort)}`,
    target: pod.application.address,
    "target-interval": "500ms",
    // Refused handshakes are worth seeing here.
    "log-level": "debug",
    cert: join(pod.folder, `${place.cert}.crt`),
    key: join(pod.folder, `${place.cert}.key`),
    // Nobody has to be led elsewhere first, and whoever presses Ctrl-C wants an end.
    "drain-delay": "0",
    "shutdown-timeout": "5s",
    ...more,
  };
  const args = Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value]);
  const process = pod.startContainer("tls-sidecar", { label: place.label, args, compact });
  await process.ready();
  return { process, port: await process.portOf("tls"), adminPort: await process.portOf("admin") };
}

async function start(pod: Pod): Promise<RunningPart> {
  const { folder, authority } = pod;
  const renew = createRenewal(pod);
  await renew();
  write(folder, "mutual", await authority.issue(SERVER));
  const client = await authority.issue({ commonName: CLIENT_NAME, usage: ["client"] });
  writeFileSync(join(folder, "client.pem"), client.cert + client.key, { mode: 0o600 });
  const [open, mutual] = await Promise.all([
    startSidecar(pod, { label: "tls-sidecar", port: 8443, adminPort: 9910, cert: "tls" }),
    startSidecar(
      pod,
      { label: "mutual-tls", port: 8444, adminPort: 9920, cert: "mutual" },
      { "client-auth": "require", "client-ca": join(folder, "ca.crt"), "allow-cn": CLIENT_NAME },
    ),
  ]);
  const scene: Scene = { pod, open, mutual, client, renew };
  return {
    processes: [open.process, mutual.process],
    listeners: [
      { who: "tls-sidecar", url: `https://localhost:${open.port}`, what: "HTTPS for everyone" },
      { who: "", url: `http://127.0.0.1:${open.adminPort}`, what: "its admin: probes, metrics" },
      { who: "mutual-tls", url: `https://localhost:${mutual.port}`, what: "a second tls-sidecar, for mutual TLS" },
      { who: "", url: `http://127.0.0.1:${mutual.adminPort}`, what: "its admin" },
    ],
    files: [
      { names: "tls.crt tls.key", what: "what tls-sidecar serves with" },
      { names: "mutual.crt mutual.key", what: "what mutual-tls serves with" },
      { names: "client.pem", what: "of the one client that mutual-tls lets in" },
    ],
    tries: triesOf(scene),
    keys: [{ key: "r", what: "renew tls.crt: the sidecar notices by itself", press: () => renewLive(scene) }],
    checks: checksOf(scene),
  };
}

function triesOf({ pod: { folder }, open, mutual }: Scene): RunningPart["tries"] {
  const curl = `curl --cacert ${folder}/ca.crt`;
  const admin = `curl http://127.0.0.1:${open.adminPort}`;
  return [
    { what: "Look a word up, over HTTPS", command: `${curl} https://localhost:${open.port}/words/outrigger` },
    {
      what: "The request as the application sees it, with what the sidecar adds",
      command: `${curl} https://localhost:${open.port}/whoami`,
    },
    {
      what: "Mutual TLS with a client certificate, and without one: a reset",
      command: `${curl} --cert ${folder}/client.pem https://localhost:${mutual.port}/ping`,
    },
    { what: "", command: `${curl} https://localhost:${mutual.port}/ping` },
    { what: "What the sidecar tells of itself", command: `${admin}/readyz` },
    { what: "", command: `${admin}/metrics` },
    { what: "", command: `${admin}/api/v1/status` },
  ];
}

/** Renews the certificate, and tells when a new connection gets it. */
async function renewLive({ pod, open, renew }: Scene): Promise<void> {
  const { leaf } = await renew();
  const expiry = new Date(leaf.validTo).toISOString().slice(0, 10);
  pod.say(`wrote a new tls.crt and tls.key: serial ${leaf.serialNumber}, valid until ${expiry}`);
  const server = { port: open.port, ca: pod.authority.pem };
  await until(async () => (await servedSerial(server)) === leaf.serialNumber, {
    timeoutMs: 10_000,
    describe: `a connection with the certificate ${leaf.serialNumber}`,
  });
  pod.say(`certificate renewed: https://localhost:${open.port} serves ${leaf.serialNumber} now`);
}

export const part: Part = {
  summary: "tls-sidecar gives HTTPS to an application that only speaks plain HTTP",
  start,
};
