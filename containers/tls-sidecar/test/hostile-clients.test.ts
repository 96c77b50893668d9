// Clients that send garbage, half of what they should, or nearly nothing: cut off in time, counted by reason, and
// nobody else notices.
import { execFileSync, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readdirSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import type { TLSSocket } from "node:tls";

import { createCertificateAuthority, rawExchange, requirePrograms, startApp, until } from "@outrigger/testing";
import { expect, onTestFinished as cleanup, test } from "vitest";

import { clientOptions, startSidecar, visit } from "./sidecar.ts";
import type { Sidecar } from "./sidecar.ts";

const QUICK = ["--handshake-timeout", "300ms", "--header-timeout", "400ms", "--idle-timeout", "500ms"];

async function start(args: string[] = QUICK): Promise<Sidecar> {
  const app = await startApp((request, response) => request.pipe(response), { cleanup });
  return startSidecar({ target: app.address, args, cleanup });
}

function open(sidecar: Sidecar): Socket {
  const socket = connect(sidecar.port, "127.0.0.1");
  socket.on("error", () => undefined).resume();
  cleanup(() => void socket.destroy());
  return socket;
}

const handshakeFailures = async (sidecar: Sidecar, reason: string): Promise<number | undefined> =>
  (await sidecar.metrics()).value("tls_sidecar_handshake_failures_total", { reason });

test("garbage, plain HTTP and half a handshake are cut off, each counted by its reason", async () => {
  const sidecar = await start();
  const garbage = open(sidecar);
  garbage.write("\u0000\u0001garbage that is no TLS record\r\n");
  const plain = open(sidecar);
  plain.write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const silent = open(sidecar);
  const half = open(sidecar);
  half.write(Buffer.from([22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3]));
  const gone = open(sidecar);
  await once(gone, "connect");
  await Promise.all([garbage, plain, silent, half].map((socket) => once(socket, "close")));
  gone.destroy();
  await until(
    async () =>
      (await handshakeFailures(sidecar, "timeout")) === 2 || (await handshakeFailures(sidecar, "timeout")) === 3,
  );
  expect(await handshakeFailures(sidecar, "bad_record")).toBe(1);
  expect(await handshakeFailures(sidecar, "plain_http")).toBe(1);
  expect((await visit(sidecar)).admitted).toBe(true);
  await until(async () => (await sidecar.metrics()).value("tls_sidecar_connections_active") === 0);
});

const openssl = requirePrograms("openssl");

test.skipIf(openssl.skip)(
  openssl.title("a client that does not trust the certificate is counted as such"),
  async () => {
    const sidecar = await start();
    const stranger = join(sidecar.files.folder, "stranger.crt");
    writeFileSync(stranger, (await createCertificateAuthority()).pem);
    const args = ["s_client", "-connect", `127.0.0.1:${sidecar.port}`, "-CAfile", stranger, "-verify_return_error"];
    expect(spawnSync(openssl.path("openssl"), args, { input: "" }).status).not.toBe(0);
    // BoringSSL does not understand the alert that OpenSSL sends then.
    const reason = process.env["OUTRIGGER_RUNTIME"] === "bun" ? "bad_record" : "refused_by_client";
    await until(async () => (await handshakeFailures(sidecar, reason)) === 1);
  },
);

const HALF_HEAD = "GET / HTTP/1.1\r\nHost: loc";

test("half a head is answered 408 and ended", async () => {
  const sidecar = await start();
  const { text, ended } = await rawExchange({ port: sidecar.port, tls: clientOptions(sidecar), send: HALF_HEAD });
  expect(text).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n/);
  expect(ended).toBe("close");
  expect((await sidecar.metrics()).value("tls_sidecar_requests_refused_total", { reason: "head_timeout" })).toBe(1);
});

test("a head that comes one byte at a time is cut off, however steadily it comes", async () => {
  const sidecar = await start();
  const socket = connectTls({ port: sidecar.port, host: "127.0.0.1", ...clientOptions(sidecar) });
  cleanup(() => void socket.destroy());
  let text = "";
  socket.on("data", (bytes: Buffer) => (text += String(bytes))).on("error", () => undefined);
  await once(socket, "secureConnect");
  const drip = setInterval(() => socket.writable && socket.write("x"), 20);
  cleanup(() => clearInterval(drip));
  await once(socket, "close");
  expect(text).toMatch(/^HTTP\/1\.1 408 /);
});

test("a body that stops is answered 408, an idle connection is ended quietly", async () => {
  // It answers a request that it has seen whole, so that the answer to the other is the sidecar's.
  const app = await startApp((request, response) => request.resume().on("end", () => response.end("hello")), {
    cleanup,
  });
  const sidecar = await startSidecar({ target: app.address, args: QUICK, cleanup });
  const tls = clientOptions(sidecar);
  const upload = "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nhalf";
  const get = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
  const [stopped, idle] = await Promise.all([
    rawExchange({ port: sidecar.port, tls, send: upload }),
    rawExchange({ port: sidecar.port, tls, send: get }),
  ]);
  expect(stopped!.text).toMatch(/^HTTP\/1\.1 408 [^]*body_timeout/);
  expect(stopped!.ended).toBe("close");
  expect(idle!.text).toMatch(/^HTTP\/1\.1 200 OK/);
  expect(idle!.text.match(/HTTP\/1\.1/g)).toHaveLength(1);
  expect(idle!.ended).toBe("close");
});

const REFUSED: [string, string, string][] = [
  [
    "both lengths",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "length_and_encoding",
  ],
  ["two lengths", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx", "several_lengths"],
  ["an unknown encoding", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", "bad_transfer_encoding"],
  ["LF alone", "GET / HTTP/1.1\nHost: a\n\n", "bare_lf"],
  ["a folded field", "GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n 2\r\n\r\n", "folded_field"],
  ["a space before the colon", "GET / HTTP/1.1\r\nHost : a\r\n\r\n", "space_before_colon"],
  ["a control character", "GET / HTTP/1.1\r\nHost: a\r\nX: \u0001\r\n\r\n", "control_character"],
  ["two hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", "several_hosts"],
  ["no host", "GET / HTTP/1.1\r\n\r\n", "no_host"],
  ["a fragment", "GET /#top HTTP/1.1\r\nHost: a\r\n\r\n", "bad_target"],
  ["an endless header", `GET / HTTP/1.1\r\nHost: a\r\n${"X: y\r\n".repeat(200)}\r\n`, "too_many_fields"],
  ["a huge header", `GET / HTTP/1.1\r\nHost: a\r\nX: ${"y".repeat(20_000)}\r\n\r\n`, "head_too_large"],
];

test("what is not exactly HTTP/1.1 is refused by name, and never reaches the application", async () => {
  let seen = 0;
  const app = await startApp(
    (_, response) => {
      seen++;
      response.end();
    },
    { cleanup },
  );
  const sidecar = await startSidecar({ target: app.address, cleanup });
  for (const [what, send, reason] of REFUSED) {
    const { text, ended } = await rawExchange({ port: sidecar.port, tls: clientOptions(sidecar), send });
    expect.soft(text, what).toMatch(new RegExp(`^HTTP/1\\.1 4\\d\\d [^]*${reason}: `));
    expect.soft(ended, what).toBe("close");
    expect.soft((await sidecar.metrics()).value("tls_sidecar_requests_refused_total", { reason }), what).toBe(1);
  }
  expect(seen).toBe(0);
});

const prlimit = requirePrograms("prlimit");

test.skipIf(prlimit.skip)(
  prlimit.title("running out of file descriptors does not end it, and it recovers"),
  async () => {
    const sidecar = await start([]);
    expect((await visit(sidecar)).admitted).toBe(true);
    const open = readdirSync(`/proc/${sidecar.pid}/fd`).length;
    execFileSync(prlimit.path("prlimit"), ["--pid", String(sidecar.pid), `--nofile=${open + 4}:${open + 500}`]);
    const held = Array.from({ length: 30 }, () => connect(sidecar.port, "127.0.0.1"));
    for (const socket of held) socket.on("error", () => undefined);
    await until(
      () => held.some((socket) => socket.destroyed) || readdirSync(`/proc/${sidecar.pid}/fd`).length >= open + 3,
    );
    for (const socket of held) socket.destroy();
    execFileSync(prlimit.path("prlimit"), ["--pid", String(sidecar.pid), `--nofile=${open + 400}:${open + 500}`]);
    await until(async () => (await visit(sidecar)).admitted);
    expect(await sidecar.stop()).toEqual({ code: 0, signal: null });
  },
);

test("connections beyond --max-connections are closed at once, and the others go on", async () => {
  const sidecar = await start(["--max-connections", "2"]);
  const held = [1, 2].map(() => connectTls({ port: sidecar.port, host: "127.0.0.1", ...clientOptions(sidecar) }));
  for (const socket of held) cleanup(() => void socket.destroy());
  await Promise.all(held.map((socket) => once(socket, "secureConnect")));
  expect((await visit(sidecar)).admitted).toBe(false);
  expect((await sidecar.metrics()).value("tls_sidecar_connections_refused_total", { reason: "too_many" })).toBe(1);
  held[0]!.destroy();
  await until(async () => (await visit(sidecar)).admitted);
});

/** Connections from an address of this machine, after their handshakes. */
async function hold(sidecar: Sidecar, localAddress: string, count: number): Promise<TLSSocket[]> {
  const sockets = Array.from({ length: count }, () =>
    // The types do not know that an address to connect from may be given, too.
    connectTls(Object.assign({ port: sidecar.port, host: "127.0.0.1", ...clientOptions(sidecar) }, { localAddress })),
  );
  for (const socket of sockets) cleanup(() => void socket.on("error", () => undefined).destroy());
  await Promise.all(sockets.map((socket) => once(socket, "secureConnect")));
  return sockets;
}

test("one address gets no more than --max-connections-per-client, others get theirs", async () => {
  const sidecar = await start(["--max-connections-per-client", "2"]);
  const [first] = await hold(sidecar, "127.0.0.1", 2);
  expect((await visit(sidecar)).admitted).toBe(false);
  await hold(sidecar, "127.0.0.2", 2);
  const refused = (await sidecar.metrics()).value("tls_sidecar_connections_refused_total", {
    reason: "too_many_per_client",
  });
  expect(refused).toBe(1);
  first!.destroy();
  await until(async () => (await visit(sidecar)).admitted);
});

test("a trusted proxy may have more, and a Unix socket has no addresses to count", async () => {
  const limit = ["--max-connections-per-client", "1"];
  const sidecar = await start([...limit, "--trusted-proxies", "127.0.0.1"]);
  await hold(sidecar, "127.0.0.1", 3);
  expect((await visit(sidecar)).admitted).toBe(true);
  await expect(start([...limit, "--listen", "unix:/tmp/not-used.sock"])).rejects.toThrow(
    "--max-connections-per-client: expected a port to listen on beside it, got unix:/tmp/not-used.sock",
  );
  await expect(start(["--max-connections-per-client", "0"])).rejects.toThrow("expected a whole number from 1 to");
});
