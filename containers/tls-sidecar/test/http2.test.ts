// Clients of HTTP/2, chosen by ALPN, in front of an application of HTTP/1.1.
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { connect as connectHttp2 } from "node:http2";
import type { ClientHttp2Session, IncomingHttpHeaders } from "node:http2";
import { connect as connectTls } from "node:tls";
import { promisify } from "node:util";

import { requirePrograms, startApp, until } from "@outrigger/testing";
import { describe, expect, onTestFinished as cleanup, test } from "vitest";

import { clientOptions, createFiles, startSidecar } from "./sidecar.ts";
import type { ClientOptions, Sidecar } from "./sidecar.ts";

const run = promisify(execFile);
const curl = requirePrograms("curl");
const nghttp2 = requirePrograms("nghttp", "h2load");

type Answer = { readonly headers: IncomingHttpHeaders; readonly body: Buffer };

function connect(sidecar: Sidecar, options: ClientOptions = {}): ClientHttp2Session {
  const session = connectHttp2(`https://localhost:${sidecar.port}`, {
    ...clientOptions(sidecar, options),
    settings: { enablePush: false },
    // Of what waits to be sent, in MiB; the client breaks off streams beyond it.
    maxSessionMemory: 100,
  });
  session.on("error", () => undefined);
  cleanup(() => session.destroy());
  return session;
}

function ask(session: ClientHttp2Session, headers: Record<string, string> = {}, body?: Buffer): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const stream = session.request({ ":path": "/", ...headers }, { endStream: body === undefined });
    const parts: Buffer[] = [];
    let answered: IncomingHttpHeaders = {};
    stream.on("response", (given) => (answered = given));
    stream.on("data", (bytes: Buffer) => void parts.push(bytes));
    stream.on("end", () => resolve({ headers: answered, body: Buffer.concat(parts) }));
    stream.on("error", reject);
    if (body !== undefined) stream.end(body);
  });
}

describe.skipIf(curl.skip)(curl.title("curl"), () => {
  test("speaks HTTP/2 where it may, and HTTP/1.1 where it must", async () => {
    const app = await startApp((request, response) => response.end(request.httpVersion), { cleanup });
    const sidecar = await startSidecar({ target: app.address, cleanup });
    const get = async (...args: string[]): Promise<string> => {
      const url = `https://localhost:${sidecar.port}/`;
      const { stdout } = await run(curl.path("curl"), [
        "-sS",
        "--cacert",
        sidecar.files.ca,
        "-w",
        " %{http_version}",
        ...args,
        url,
      ]);
      return stdout;
    };
    expect(await get()).toBe("1.1 2");
    expect(await get("--http1.1")).toBe("1.1 1.1");
    const requests = () => sidecar.logs().filter(({ msg }) => msg === "request");
    await until(() => requests().length === 2);
    const protocols = requests().map((record) => record["protocol"]);
    expect(protocols).toEqual(["h2", "http/1.1"]);
  });
});

describe.skipIf(nghttp2.skip)(nghttp2.title("nghttp2's clients"), () => {
  test("get a page with its fields, and thousands of them at a time", async () => {
    const app = await startApp((_, response) => response.end("x".repeat(1000)), { cleanup });
    const sidecar = await startSidecar({ target: app.address, args: ["--no-access-log"], cleanup });
    const url = `https://localhost:${sidecar.port}/`;
    const one = await run(nghttp2.path("nghttp"), ["-n", "-v", "--no-verify-peer", url]);
    expect(one.stdout).toContain(":status: 200");
    expect(one.stdout).toContain("content-length: 1000");
    const many = await run(nghttp2.path("h2load"), ["-n", "3000", "-c", "10", "-m", "50", url]);
    expect(many.stdout).toContain("3000 succeeded, 0 failed, 0 errored");
    const metrics = await sidecar.metrics();
    expect(metrics.value("tls_sidecar_requests_total", { status: "2xx" })).toBe(3001);
  });
});

test("large bodies pass both ways at once, on one connection", async () => {
  const app = await startApp((request, response) => request.pipe(response), { cleanup });
  const sidecar = await startSidecar({ target: app.address, cleanup });
  const session = connect(sidecar);
  const bodies = Array.from({ length: 4 }, () => randomBytes(3 * 1024 * 1024));
  const answers = await Promise.all(bodies.map((body) => ask(session, { ":method": "POST" }, body)));
  for (const [index, { body }] of answers.entries()) expect(body.equals(bodies[index]!)).toBe(true);
});

test("a client cannot speak for another in HTTP/2 either", async () => {
  const app = await startApp((request, response) => response.end(JSON.stringify(request.headers)), { cleanup });
  const files = await createFiles(cleanup);
  const args = [
    "--client-auth",
    "require",
    "--client-ca",
    files.ca,
    "--allow-cn",
    "alice",
    "--identity-headers",
    "xfcc",
  ];
  const sidecar = await startSidecar({ target: app.address, files, args, cleanup });
  const alice = await files.authority.issue({ commonName: "alice" });
  const forged = {
    "x-forwarded-client-cert": "Subject=root",
    x_forwarded_client_cert: "Subject=root",
    "client-cert": ":AAAA:",
    "x-forwarded-for": "6.6.6.6",
  };
  const { body } = await ask(connect(sidecar, { cert: alice }), forged);
  const seen = JSON.parse(body.toString()) as Record<string, string>;
  expect(seen["x-forwarded-client-cert"]).toContain('Subject="CN=alice"');
  expect(body.toString()).not.toMatch(/root|AAAA|6\.6\.6\.6/);

  const mallory = await files.authority.issue({ commonName: "mallory" });
  const refused = await ask(connect(sidecar, { cert: mallory })).catch(() => undefined);
  expect(refused?.headers[":status"]).toBeUndefined();
  const metrics = await sidecar.metrics();
  expect(metrics.value("tls_sidecar_handshake_failures_total", { reason: "not_allowed" })).toBe(1);
});

test("SIGTERM finishes the requests of HTTP/2 that are open, and takes no new connection", async () => {
  const waiting: (() => void)[] = [];
  const app = await startApp((_, response) => void waiting.push(() => response.end("done")), { cleanup });
  const sidecar = await startSidecar({ target: app.address, cleanup });
  const session = connect(sidecar);
  let goaway = false;
  session.on("goaway", () => (goaway = true));
  const answers = [ask(session), ask(session)];
  await until(() => waiting.length === 2);
  sidecar.signal("SIGTERM");
  await until(() => goaway);
  for (const answer of waiting) answer();
  expect((await Promise.all(answers)).map(({ body }) => body.toString())).toEqual(["done", "done"]);
  expect(await sidecar.exited).toMatchObject({ code: 0 });
});

describe("ALPN", () => {
  const offer = (sidecar: Sidecar, protocols: string[]): Promise<string> =>
    new Promise((resolve) => {
      const socket = connectTls({ port: sidecar.port, ALPNProtocols: protocols, ...clientOptions(sidecar) });
      cleanup(() => void socket.destroy());
      socket.once("secureConnect", () => resolve(String(socket.alpnProtocol)));
      socket.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    });

  test("takes the first of --alpn that the client knows, and refuses one that knows none", async () => {
    const app = await startApp((_, response) => response.end("hello"), { cleanup });
    const sidecar = await startSidecar({ target: app.address, args: ["--alpn", "http/1.1"], cleanup });
    expect(await offer(sidecar, ["h2", "http/1.1"])).toBe("http/1.1");
    expect(await offer(sidecar, ["h2"])).toContain("NO_APPLICATION_PROTOCOL");
    const both = await startSidecar({ target: app.address, files: sidecar.files, cleanup });
    expect(await offer(both, ["http/1.1", "h2"])).toBe("h2");
  });

  test("is left to the application in mode tcp, unless --alpn says otherwise", async () => {
    const app = await startApp((_, response) => response.end("hello"), { cleanup });
    const none = await startSidecar({ target: app.address, args: ["--mode", "tcp"], cleanup });
    expect(await offer(none, ["h2", "http/1.1"])).toBe("false");
    const given = await startSidecar({ target: app.address, args: ["--mode", "tcp", "--alpn", "http/1.1"], cleanup });
    expect(await offer(given, ["h2", "http/1.1"])).toBe("http/1.1");
  });
});
