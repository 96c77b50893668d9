// Connections that are open when their client loses its right to be: closed, and those of others go on.
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { connect as connectPlain } from "node:net";
import { join } from "node:path";
import type { TLSSocket } from "node:tls";
import { connect } from "node:tls";

import { createCertificateAuthority, startEchoServer, startRawServer, until } from "@outrigger/testing";
import { describe, expect, onTestFinished as cleanup, test } from "vitest";

import { clientOptions, createFiles, startSidecar } from "./sidecar.ts";
import type { ClientOptions, Files, Sidecar } from "./sidecar.ts";

const GET = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

type Running = { sidecar: Sidecar; files: Files; config: string };

/** A sidecar whose policy is in a file, before an application that answers in both modes with what it was sent. */
async function start(mode: "http" | "tcp", policy: string, args: string[] = []): Promise<Running> {
  const files = await createFiles(cleanup);
  const config = join(files.folder, "config.yaml");
  writeFileSync(config, policy);
  const app =
    mode === "tcp"
      ? await startEchoServer({ cleanup })
      : await startRawServer(
          (socket) =>
            socket.on("data", (bytes) => {
              const upgrade = /upgrade: echo/i.test(String(bytes));
              socket.write(
                upgrade
                  ? "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n"
                  : "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
              );
            }),
          { cleanup },
        );
  const flags = ["--mode", mode, "--client-ca", files.ca, "--config", config, ...args];
  return { sidecar: await startSidecar({ target: app.address, args: flags, files, cleanup }), files, config };
}

type Open = {
  readonly socket: TLSSocket;
  /** Uses the connection once more: the bytes that come, "closed" when nothing does. */
  use(send?: string): Promise<string>;
};

async function open(sidecar: Sidecar, options: ClientOptions = {}): Promise<Open> {
  const socket = connect({ host: "127.0.0.1", port: sidecar.port, ...clientOptions(sidecar, options) });
  cleanup(() => void socket.destroy());
  socket.on("error", () => undefined);
  await once(socket, "secureConnect");
  const use = (send = GET): Promise<string> => {
    if (socket.destroyed) return Promise.resolve("closed");
    socket.write(send);
    return new Promise((resolve) => {
      const settle = (outcome: string): void => {
        socket.off("data", onData).off("close", onClose);
        resolve(outcome);
      };
      const onData = (bytes: Buffer): void => settle(String(bytes));
      const onClose = (): void => settle("closed");
      socket.on("data", onData).on("close", onClose);
    });
  };
  return { socket, use };
}

const reload = async ({ sidecar }: Running): Promise<unknown> =>
  JSON.parse((await sidecar.admin("/api/v1/reload", { method: "POST" })).body);

const closedBy = async ({ sidecar }: Running, reason: string): Promise<number | undefined> =>
  (await sidecar.metrics()).value("tls_sidecar_connections_closed_total", { reason });

const POLICY = "clientAuth: require\nallowCn: [web, other]\n";

describe.each(["http", "tcp"] as const)("in mode %s", (mode) => {
  test("an identity that is taken off the list loses its connection, another keeps its own", async () => {
    const running = await start(mode, POLICY);
    const { sidecar, files, config } = running;
    const [web, other] = await Promise.all(
      ["web", "other"].map(async (commonName) => open(sidecar, { cert: await files.authority.issue({ commonName }) })),
    );
    for (const { use } of [web!, other!]) expect(await use()).not.toBe("closed");
    writeFileSync(config, "clientAuth: require\nallowCn: [other]\n");
    await reload(running);
    expect(await web!.use()).toBe("closed");
    expect(await other!.use()).not.toBe("closed");
    expect(await closedBy(running, "not_allowed")).toBe(1);
  });

  test("a CA that is removed takes its clients' connections along", async () => {
    const running = await start(mode, POLICY);
    const { sidecar, files } = running;
    const second = await createCertificateAuthority();
    writeFileSync(files.ca, files.authority.pem + second.pem);
    await reload(running);
    const issued = await Promise.all(
      [files.authority, second, await second.intermediate("between")].map((ca) => ca.issue({ commonName: "web" })),
    );
    const [old, kept, indirect] = await Promise.all(issued.map((cert) => open(sidecar, { cert })));
    for (const { use } of [old!, kept!, indirect!]) expect(await use()).not.toBe("closed");
    writeFileSync(files.ca, second.pem);
    await reload(running);
    expect(await old!.use()).toBe("closed");
    expect(await kept!.use()).not.toBe("closed");
    expect(await indirect!.use()).not.toBe("closed");
    expect(await closedBy(running, "untrusted")).toBe(1);
  });

  test("a client without a certificate goes when one is required", async () => {
    const running = await start(mode, "clientAuth: request\n");
    const client = await open(running.sidecar);
    expect(await client.use()).not.toBe("closed");
    writeFileSync(running.config, POLICY);
    await reload(running);
    expect(await client.use()).toBe("closed");
    expect(await closedBy(running, "no_certificate")).toBe(1);
  });

  test("a connection ends with its client's certificate", async () => {
    const running = await start(mode, POLICY);
    const { sidecar, files } = running;
    // Certificates know whole seconds.
    const notAfter = new Date(Math.ceil(Date.now() / 1000) * 1000 + 2000);
    const client = await open(sidecar, { cert: await files.authority.issue({ commonName: "web", notAfter }) });
    const lasting = await open(sidecar, { cert: await files.authority.issue({ commonName: "web" }) });
    expect(await client.use()).not.toBe("closed");
    await until(() => client.socket.destroyed);
    expect(Date.now()).toBeGreaterThanOrEqual(notAfter.getTime());
    expect(await lasting.use()).not.toBe("closed");
    expect(await closedBy(running, "certificate_expired")).toBe(1);
  });
});

test("a handshake that began under the CA before ends in nothing", async () => {
  const running = await start("http", POLICY);
  const { sidecar, files } = running;
  const cert = await files.authority.issue({ commonName: "web" });
  // A network that delivers the first flight of the client, and the others only when it is told to.
  const first = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  const network = await startRawServer(
    (socket) => {
      const onwards = connectPlain(sidecar.port, "127.0.0.1");
      onwards.on("error", () => undefined).on("data", (bytes) => socket.write(bytes));
      onwards.on("close", () => socket.destroy());
      socket.once("data", (hello) => {
        onwards.write(hello);
        onwards.once("data", () => first.resolve());
        socket.on("data", (bytes) => void release.promise.then(() => onwards.write(bytes)));
      });
    },
    { cleanup },
  );
  const socket = connect({ host: "127.0.0.1", port: network.port, ...clientOptions(sidecar, { cert }) });
  cleanup(() => void socket.destroy());
  let text = "";
  socket.on("error", () => undefined).on("data", (bytes) => (text += String(bytes)));
  await Promise.all([once(socket, "secureConnect"), first.promise]);
  writeFileSync(files.ca, (await createCertificateAuthority()).pem);
  expect(await reload(running)).toMatchObject({ outcome: expect.stringMatching(/^(applied|unchanged)$/) });
  socket.write(GET);
  release.resolve();
  await once(socket, "close");
  expect(text).toBe("");
  expect(await closedBy(running, "untrusted")).toBe(1);
});

describe("--max-connection-lifetime", () => {
  const LIFETIME = ["--max-connection-lifetime", "700ms"];

  test("ends an idle connection, and tells one that is used with Connection: close", async () => {
    const running = await start("http", "{}", LIFETIME);
    const [idle, busy] = await Promise.all([open(running.sidecar), open(running.sidecar)]);
    const answers: string[] = [await idle!.use()];
    while (!answers.at(-1)!.includes("Connection: close")) answers.push(await busy!.use());
    expect(answers).not.toContain("closed");
    await until(() => idle!.socket.destroyed && busy!.socket.destroyed);
    expect(await closedBy(running, "max_lifetime")).toBe(2);
  });

  test("ends an upgraded connection", async () => {
    const running = await start("http", "{}", LIFETIME);
    const client = await open(running.sidecar);
    expect(await client.use(GET.replace("\r\n\r\n", "\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n"))).toContain(
      " 101 ",
    );
    await until(() => client.socket.destroyed);
    expect(await closedBy(running, "max_lifetime")).toBe(1);
  });

  test("ends a connection of mode tcp at once", async () => {
    const running = await start("tcp", "{}", LIFETIME);
    const client = await open(running.sidecar);
    expect(await client.use("hello")).toBe("hello");
    while ((await client.use("again")) !== "closed");
    expect(await closedBy(running, "max_lifetime")).toBe(1);
  });
});
