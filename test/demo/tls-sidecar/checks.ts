// What `--check` asks of the two sidecars, one after the other.
import assert from "node:assert/strict";
import { connect } from "node:tls";

import { createCertificateAuthority, rawExchange, until } from "@outrigger/testing";

import type { Check } from "../part.ts";
import { ask, failureOf, servedSerial } from "./client.ts";
import type { Question, Reply, Server } from "./client.ts";
import type { Scene } from "./part.ts";

/** Makes what a check asks of the scene. */
type CheckOf = (scene: Scene) => Promise<string>;

const serverOf = ({ open, pod }: Scene): Server => ({ port: open.port, ca: pod.authority.pem });
const askOpen = (scene: Scene, path: string, question?: Question): Promise<Reply> =>
  ask(serverOf(scene), path, question);

const https: CheckOf = async (scene) => {
  const { status, body } = await askOpen(scene, "/words/outrigger");
  assert.deepEqual([status, body], [200, "a float beside a boat, which steadies it without being part of it\n"]);
  return `${status} "${body.slice(0, 20)}..."`;
};

const wrongAuthority: CheckOf = async (scene) => {
  const stranger = await createCertificateAuthority({ name: "Outrigger demo authority" });
  const failure = await failureOf(ask({ ...serverOf(scene), ca: stranger.pem }, "/ping"));
  assert.equal(failure, "UNABLE_TO_VERIFY_LEAF_SIGNATURE");
  return `refused by the client: ${failure}`;
};

const post: CheckOf = async (scene) => {
  const body = "a bridge that has not decided where to be";
  const { status, headers } = await askOpen(scene, "/words/pontoon", { method: "POST", body });
  const location = new URL(headers.location ?? "");
  assert.deepEqual([status, location.host], [201, `localhost:${scene.open.port}`]);
  assert.equal((await askOpen(scene, location.pathname)).body, `${body}\n`);
  return `${status} with Location ${location.href}, which is there`;
};

const spoofing: CheckOf = async (scene) => {
  const spoofed = "192.0.2.66";
  const { body } = await askOpen(scene, "/whoami", { headers: { "X-Forwarded-For": spoofed, "X-Real-IP": spoofed } });
  const { headers } = JSON.parse(body) as { headers: Record<string, string> };
  assert.deepEqual([headers["x-forwarded-for"], headers["x-forwarded-proto"]], ["127.0.0.1", "https"]);
  assert.ok(!body.includes(spoofed), `expected ${spoofed} nowhere, got ${body}`);
  return `the application sees X-Forwarded-For: ${headers["x-forwarded-for"]} and X-Forwarded-Proto: https`;
};

const stream: CheckOf = async (scene) => {
  const [lines, pause] = [5, 50];
  const { body, pieces } = await askOpen(scene, `/stream?lines=${lines}&ms=${pause}`);
  const spread = Math.round(pieces.at(-1)! - pieces[0]!);
  assert.equal(body.split("\n").filter(Boolean).length, lines);
  // Collected by the sidecar, they would come all at once.
  assert.ok(spread >= pause * 2, `expected the lines to come one by one, got them within ${spread} ms`);
  return `${lines} lines, the last ${spread} ms after the first`;
};

const webSocket: CheckOf = async (scene) => {
  const { port, ca } = serverOf(scene);
  const socket = connect({ host: "127.0.0.1", port, servername: "localhost", ca });
  const upgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n";
  const head = `GET /echo HTTP/1.1\r\nHost: localhost\r\n${upgrade}Sec-WebSocket-Key: ${btoa("sixteen bytes...")}\r\n\r\n`;
  try {
    const answer = await rawExchange({ socket, send: head, until: "\r\n\r\n" });
    assert.match(answer.text, /^HTTP\/1\.1 101 /);
    // RFC 6455, 5.2: a text frame, masked with zeroes; the echo is not masked.
    const word = "ahoy";
    const frame = `\x81${String.fromCharCode(0x80 | word.length)}\0\0\0\0${word}`;
    const echo = await rawExchange({ socket, send: frame, until: word });
    assert.equal(echo.text, `\x81${String.fromCharCode(word.length)}${word}`);
    return `101, and "${word}" comes back`;
  } finally {
    socket.destroy();
  }
};

const killed: CheckOf = async (scene) => {
  const { application } = scene.pod;
  const { admin } = scene.open.process;
  const readiness = async (status: number): Promise<boolean> => (await admin("/readyz")).status === status;
  // Another part may have had the application killed just before: it is asked again within an interval.
  await until(() => readiness(200), { describe: "/readyz to be 200 before" });
  await application.kill();
  const { status } = await askOpen(scene, "/ping");
  assert.equal(status, 502);
  await until(() => readiness(503), { describe: "/readyz to be 503" });
  await application.start();
  await until(() => readiness(200), { describe: "/readyz to be 200 again" });
  assert.equal((await askOpen(scene, "/ping")).status, 200);
  return `${status} and /readyz 503; started again: 200 and /readyz 200`;
};

const renewed: CheckOf = async (scene) => {
  const expiry = async (): Promise<number | undefined> =>
    (await scene.open.process.metrics()).value("tls_sidecar_certificate_expiry_timestamp_seconds");
  const [before, serial] = [await expiry(), await servedSerial(serverOf(scene))];
  const { leaf } = await scene.renew();
  await until(async () => (await servedSerial(serverOf(scene))) === leaf.serialNumber, { describe: "the new serial" });
  const after = Date.parse(leaf.validTo) / 1000;
  await until(async () => (await expiry()) === after, { describe: `the metric to be ${after}` });
  const moved = Math.round((after - before!) / 3600);
  assert.ok(moved >= 24 && serial !== leaf.serialNumber);
  return `serial ${serial.slice(0, 8)}... became ${leaf.serialNumber.slice(0, 8)}..., the expiry metric moved by ${moved} h`;
};

const mutual: CheckOf = async ({ pod, mutual, client }) => {
  const server: Server = { port: mutual.port, ca: pod.authority.pem };
  const stranger = await pod.authority.issue({ commonName: "stranger", usage: ["client"] });
  const failures = async (reason: string): Promise<number | undefined> =>
    (await mutual.process.metrics()).value("tls_sidecar_handshake_failures_total", { reason });
  const { status } = await ask({ ...server, certificate: client }, "/ping");
  assert.equal(status, 200);
  await failureOf(ask(server, "/ping"));
  await until(async () => (await failures("no_certificate")) === 1, { describe: "no_certificate to be counted" });
  await failureOf(ask({ ...server, certificate: stranger }, "/ping"));
  await until(async () => (await failures("not_allowed")) === 1, { describe: "not_allowed to be counted" });
  return `${status} for the client allowed; no certificate, or another name: refused`;
};

const counted: CheckOf = async (scene) => {
  const read = async (): Promise<number[]> => {
    const { value } = await scene.open.process.metrics();
    const requests = (status: string) => value("tls_sidecar_requests_total", { status }) ?? -1;
    return [requests("2xx"), requests("4xx"), value("tls_sidecar_handshakes_total") ?? -1];
  };
  const before = await read();
  for (const path of ["/ping", "/ping", "/words/aple"]) await askOpen(scene, path);
  const expected = [before[0]! + 2, before[1]! + 1, before[2]! + 3];
  await until(async () => (await read()).join() === expected.join(), { describe: `the counts ${expected.join(", ")}` });
  return `2 found, 1 not found, 3 handshakes`;
};

const described: CheckOf = async ({ open: { process }, pod }) => {
  const { runtime } = (await process.admin("/version")).json() as { runtime: string };
  const status = (await process.admin("/api/v1/status")).json() as { state: string; target: string };
  assert.deepEqual([status.state, status.target], ["running", pod.application.address]);
  assert.ok(runtime.startsWith(pod.runtime), `expected ${pod.runtime}, got ${runtime}`);
  return `${status.state} on ${runtime}`;
};

const CHECKS: Readonly<Record<string, CheckOf>> = {
  "HTTPS with the demo's CA": https,
  "HTTPS with another CA": wrongAuthority,
  "POST, and where it went": post,
  "spoofed X-Forwarded-For": spoofing,
  "stream through the sidecar": stream,
  "WebSocket over TLS": webSocket,
  "application killed": killed,
  "certificate renewed live": renewed,
  "mutual TLS": mutual,
  "metrics count": counted,
  "version and status": described,
};

export const checksOf = (scene: Scene): Check[] =>
  Object.entries(CHECKS).map(([what, run]) => ({ what, run: () => run(scene) }));
