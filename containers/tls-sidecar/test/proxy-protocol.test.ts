// The PROXY protocol on both sides, with haproxy in front of the sidecar and nginx behind it.
import { writeFileSync } from "node:fs";
import { connect as connectTcp } from "node:net";
import { join } from "node:path";
import { connect } from "node:tls";

import {
  freePort,
  requirePrograms,
  runContainer,
  startApp,
  startProgram,
  startRawServer,
  tempDir,
  until,
} from "@outrigger/testing";
import { describe, expect, onTestFinished as cleanup, test } from "vitest";

import { clientOptions, createFiles, startSidecar, visit } from "./sidecar.ts";
import type { Sidecar } from "./sidecar.ts";

const haproxy = requirePrograms("haproxy");
const nginx = requirePrograms("nginx");
const openssl = requirePrograms("openssl");

/** Says `before` on a connection, then begins TLS and asks once; gives what came back. */
function askBehind(sidecar: Sidecar, before: string | Buffer): Promise<string> {
  const tcp = connectTcp(sidecar.port, "127.0.0.1");
  cleanup(() => void tcp.destroy());
  tcp.write(before);
  const socket = connect({ socket: tcp, ...clientOptions(sidecar) });
  let text = "";
  socket.once("secureConnect", () => socket.write("GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"));
  socket.on("data", (bytes: Buffer) => (text += bytes.toString("latin1")));
  socket.on("error", () => undefined);
  return new Promise((resolve) => socket.once("close", () => resolve(text)));
}

const echoHeaders = () => startApp((request, response) => response.end(JSON.stringify(request.headers)), { cleanup });

describe("in, from trusted proxies", () => {
  const args = ["--accept-proxy-protocol", "--trusted-proxies", "127.0.0.1"];

  test("the client is whom the header names, and what that says of itself is still not believed", async () => {
    const app = await echoHeaders();
    const sidecar = await startSidecar({ target: app.address, args, cleanup });
    const text = await askBehind(sidecar, "PROXY TCP4 192.0.2.9 192.0.2.1 1234 443\r\n");
    expect(text).toContain('"x-forwarded-for":"192.0.2.9"');
    expect(text).toContain('"x-forwarded-port":"443"');
    await until(() => sidecar.logs().some((record) => record["client"] === "192.0.2.9"));
    const own = await askBehind(sidecar, "PROXY UNKNOWN\r\n");
    expect(own).toContain('"x-forwarded-for":"127.0.0.1"');
  });

  test("who sends none, a wrong one or half of one gets nowhere", async () => {
    const app = await echoHeaders();
    const sidecar = await startSidecar({
      target: app.address,
      args: [...args, "--handshake-timeout", "500ms"],
      cleanup,
    });
    expect((await visit(sidecar)).admitted).toBe(false);
    expect(await askBehind(sidecar, "PROXY TCP4 1.2.3.4 1.2.3 1 2\r\n")).toBe("");
    const half = connectTcp(sidecar.port, "127.0.0.1");
    cleanup(() => void half.destroy());
    half.write("PROXY TCP4 1.2.3");
    await new Promise((resolve) => half.once("close", resolve));
    const failures = async () =>
      (await sidecar.metrics()).value("tls_sidecar_handshake_failures_total", { reason: "bad_proxy_header" });
    await until(async () => (await failures()) === 3);
  });

  test("from anybody else a header is no TLS, and connections without one are served", async () => {
    const app = await echoHeaders();
    const others = ["--accept-proxy-protocol", "--trusted-proxies", "192.0.2.1"];
    const sidecar = await startSidecar({ target: app.address, args: others, cleanup });
    expect(await askBehind(sidecar, "PROXY TCP4 192.0.2.9 192.0.2.1 1234 443\r\n")).toBe("");
    expect((await visit(sidecar)).text).toContain('"x-forwarded-for":"127.0.0.1"');
  });

  test.skipIf(haproxy.skip).each(["send-proxy", "send-proxy-v2"])("haproxy's %s is understood", async (option) => {
    const app = await echoHeaders();
    const sidecar = await startSidecar({ target: app.address, args, cleanup });
    const port = await freePort();
    const config = join(tempDir(cleanup), "haproxy.cfg");
    writeFileSync(
      config,
      `defaults\n mode tcp\n timeout connect 5s\n timeout client 5s\n timeout server 5s\nlisten in\n bind 127.0.0.1:${port}\n server s 127.0.0.1:${sidecar.port} ${option}\n`,
    );
    await startProgram(haproxy.path("haproxy"), ["-f", config, "-db"], { port, cleanup });
    const text = await askBehind({ ...sidecar, port }, "");
    expect(text).toContain('"x-forwarded-for":"127.0.0.1"');
    expect(text).toContain(`"x-forwarded-port":"${port}"`);
  });
});

describe("out, to the application in mode tcp", () => {
  test.skipIf(nginx.skip)("nginx learns who the client is", async () => {
    const [port, folder] = [await freePort(), tempDir(cleanup)];
    const config = join(folder, "nginx.conf");
    writeFileSync(
      config,
      `daemon off; pid ${folder}/pid; error_log ${folder}/error.log; events {}
       http { access_log off; client_body_temp_path ${folder}; proxy_temp_path ${folder}; fastcgi_temp_path ${folder};
         uwsgi_temp_path ${folder}; scgi_temp_path ${folder};
         server { listen 127.0.0.1:${port} proxy_protocol; return 200 "$proxy_protocol_addr $proxy_protocol_port"; } }`,
    );
    await startProgram(nginx.path("nginx"), ["-c", config, "-p", folder], { port, cleanup });
    for (const version of ["v1", "v2", "v2-tls"]) {
      const args = ["--mode", "tcp", "--proxy-protocol", version];
      const sidecar = await startSidecar({ target: `127.0.0.1:${port}`, args, cleanup });
      expect.soft((await visit(sidecar)).text, version).toMatch(/\r\n\r\n127\.0\.0\.1 \d+$/);
    }
  });

  test.skipIf(openssl.skip)("v2-cert tells what TLS knows of the client, its certificate included", async () => {
    let seen = Buffer.alloc(0);
    const app = await startRawServer(
      (socket) => {
        socket.on("data", (bytes: Buffer) => (seen = Buffer.concat([seen, bytes])));
      },
      { cleanup },
    );
    const files = await createFiles(cleanup);
    const client = await files.authority.issue({ commonName: "alice" });
    const access = ["--client-auth", "require", "--client-ca", files.ca, "--allow-cn", "alice"];
    const args = ["--mode", "tcp", "--alpn", "h2", "--proxy-protocol", "v2-cert", ...access];
    const sidecar = await startSidecar({ target: app.address, files, args, cleanup });
    const socket = connect({ port: sidecar.port, ALPNProtocols: ["h2"], ...clientOptions(sidecar, { cert: client }) });
    cleanup(() => void socket.destroy());
    socket.write("hello");
    await until(() => seen.includes("hello"));
    const text = seen.toString("latin1");
    for (const part of ["\x01\0\x02h2", "\x02\0\x09localhost", "\x21\0\x07TLSv1.3", "\x22\0\x05alice"]) {
      expect(text).toContain(part);
    }
    expect(seen.includes(client.leaf.raw)).toBe(true);
    expect(text.endsWith("hello")).toBe(true);
  });
});

test("options that do not go together are refused", async () => {
  const files = await createFiles(cleanup);
  const args = ["--cert", files.cert, "--key", files.key, "--accept-proxy-protocol", "--proxy-protocol", "v2"];
  const { code, stderr } = await runContainer({ name: "tls-sidecar", args, cleanup });
  expect(code).toBe(2);
  expect(stderr).toContain("--accept-proxy-protocol: expected --trusted-proxies beside it, got none");
  expect(stderr).toContain("--proxy-protocol: expected --mode tcp beside it, got http");
});
