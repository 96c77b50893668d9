// Mode tcp: any protocol, passed on as bytes.
import { once } from "node:events";
import type { ConnectionOptions } from "node:tls";
import { connect } from "node:tls";

import { rawExchange, startEchoServer, startRawServer, until } from "@outrigger/testing";
import { expect, onTestFinished as cleanup, test } from "vitest";

import { clientOptions, createFiles, startSidecar } from "./sidecar.ts";
import type { Sidecar } from "./sidecar.ts";

const TCP = ["--mode", "tcp"];

/** A client that goes on listening after it has ended its own side; the types do not know the option. */
const halfOpen = (sidecar: Sidecar): ConnectionOptions =>
  Object.assign(clientOptions(sidecar), { allowHalfOpen: true });

test("bytes pass both ways unchanged, and each side's end is passed on", async () => {
  const echo = await startEchoServer({ cleanup });
  const sidecar = await startSidecar({ target: echo.address, args: TCP, cleanup });
  const bytes = Buffer.alloc(4 * 1024 * 1024, "any bytes \u0000\u00ff");
  // The client ends its side first: what the application still has to say must arrive all the same.
  const received = await rawExchange({
    port: sidecar.port,
    tls: halfOpen(sidecar),
    send: bytes,
    end: true,
  });
  expect(received.bytes.equals(bytes)).toBe(true);
  expect(received.ended).toBe("close");
  const metrics = await sidecar.metrics();
  expect(metrics.value("tls_sidecar_received_bytes_total")).toBe(bytes.length);
  expect(metrics.value("tls_sidecar_sent_bytes_total")).toBe(bytes.length);
  expect(await sidecar.waitForLog("connection")).toMatchObject({
    client: "127.0.0.1",
    received: bytes.length,
    sent: bytes.length,
  });
});

test("an application that is down ends the connection and is counted", async () => {
  const echo = await startEchoServer();
  await echo.close();
  const sidecar = await startSidecar({ target: echo.address, args: TCP, cleanup, ready: false });
  const received = await rawExchange({ port: sidecar.port, tls: clientOptions(sidecar), send: "hello" });
  expect(received.text).toBe("");
  await until(
    async () => (await sidecar.metrics()).value("tls_sidecar_target_errors_total", { reason: "connect_refused" }) === 1,
  );
});

test("a client that does not read slows the application down", async () => {
  let sent = 0;
  const chunk = Buffer.alloc(64 * 1024);
  const app = await startRawServer(
    (socket) => {
      const fill = (): void => {
        let more = true;
        while (more && !socket.destroyed) {
          more = socket.write(chunk);
          sent += chunk.length;
        }
      };
      socket.on("drain", fill);
      fill();
    },
    { cleanup },
  );
  const sidecar = await startSidecar({ target: app.address, args: TCP, cleanup });
  const client = connect({ port: sidecar.port, host: "127.0.0.1", ...clientOptions(sidecar) });
  cleanup(() => void client.destroy());
  await once(client, "secureConnect");
  client.pause();
  let last = -1;
  await until(async () => {
    const stable = sent === last && sent > 0;
    last = sent;
    await sidecar.admin("/livez");
    return stable;
  });
  // What the kernel's and the process's buffers hold, and no more.
  expect(sent).toBeLessThan(64 * 1024 * 1024);
});

test("mutual TLS protects mode tcp, too", async () => {
  const echo = await startEchoServer({ cleanup });
  const files = await createFiles(cleanup);
  const args = [...TCP, "--client-auth", "require", "--client-ca", files.ca, "--allow-cn", "web"];
  const sidecar = await startSidecar({ target: echo.address, args, files, cleanup });
  const talk = async (commonName: string): Promise<string> => {
    const cert = await files.authority.issue({ commonName });
    const tls = clientOptions(sidecar, { cert });
    return (await rawExchange({ port: sidecar.port, tls, send: "hello", until: "hello" })).text;
  };
  expect(await talk("web")).toBe("hello");
  expect(await talk("other")).toBe("");
});

test("SIGTERM waits for connections until --shutdown-timeout", async () => {
  const echo = await startEchoServer({ cleanup });
  const sidecar = await startSidecar({ target: echo.address, args: TCP, cleanup });
  const client = connect({ port: sidecar.port, host: "127.0.0.1", ...clientOptions(sidecar) });
  cleanup(() => void client.destroy());
  await once(client, "secureConnect");
  const exit = sidecar.stop();
  await sidecar.waitForLog("draining");
  client.write("still here");
  expect(String((await once(client, "data"))[0])).toBe("still here");
  client.end();
  expect(await exit).toEqual({ code: 0, signal: null });
});
