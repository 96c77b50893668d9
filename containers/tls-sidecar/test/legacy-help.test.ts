// Help for applications that know nothing of HTTPS.
import { rawExchange, runContainer, startRawServer } from "@outrigger/testing";
import { expect, onTestFinished as cleanup, test } from "vitest";

import { clientOptions, createFiles, startSidecar } from "./sidecar.ts";

const FIELDS = [
  "Location: http://localhost/next",
  "Strict-Transport-Security: max-age=1; preload",
  "Set-Cookie: a=b; Path=/",
  "set-cookie: c=d; Secure",
];

/** The lines of a response of the application with these fields, as the client gets them. */
async function linesWith(args: string[]): Promise<string[]> {
  const app = await startRawServer(
    (socket) =>
      socket.on("data", () =>
        socket.write(`HTTP/1.1 302 Found\r\n${FIELDS.join("\r\n")}\r\nX: y\r\nContent-Length: 0\r\n\r\n`),
      ),
    { cleanup },
  );
  const sidecar = await startSidecar({ target: app.address, args, cleanup });
  const send = "GET / HTTP/1.1\r\nHost: localhost:8443\r\nConnection: close\r\n\r\n";
  const { text } = await rawExchange({ port: sidecar.port, tls: clientOptions(sidecar), send });
  return text.trimEnd().split("\r\n");
}

const FRAMING = ["Content-Length: 0", "Connection: close"];

test("responses are left as they are unless one asks for more", async () => {
  expect(await linesWith([])).toEqual(["HTTP/1.1 302 Found", ...FIELDS, "X: y", ...FRAMING]);
});

test("--rewrite-location and --rewrite-cookies rewrite these fields, and no others", async () => {
  expect(await linesWith(["--rewrite-location", "--rewrite-cookies"])).toEqual([
    "HTTP/1.1 302 Found",
    "Strict-Transport-Security: max-age=1; preload",
    "X: y",
    "Location: https://localhost:8443/next",
    "Set-Cookie: a=b; Path=/; Secure",
    "set-cookie: c=d; Secure",
    ...FRAMING,
  ]);
});

test("--hsts replaces what the application says, and is on the sidecar's own answers as well", async () => {
  const hsts = "Strict-Transport-Security: max-age=31536000";
  const [location, , ...cookies] = FIELDS;
  expect(await linesWith(["--hsts", "365d"])).toEqual([
    "HTTP/1.1 302 Found",
    location,
    ...cookies,
    "X: y",
    ...FRAMING,
    hsts,
  ]);
  const sidecar = await startSidecar({ target: "127.0.0.1:1", args: ["--hsts", "365d"], cleanup, ready: false });
  const send = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
  const { text } = await rawExchange({ port: sidecar.port, tls: clientOptions(sidecar), send });
  expect(text).toMatch(/^HTTP\/1\.1 502 [^]*\r\nStrict-Transport-Security: max-age=31536000\r\n\r\n502 /);
});

test("what needs requests to be understood is refused in mode tcp, and parts of a second are for --hsts", async () => {
  const { cert, key } = await createFiles(cleanup);
  const flags = ["--rewrite-location", "--rewrite-cookies", "--hsts", "1500ms"];
  const { code, stderr } = await runContainer({
    name: "tls-sidecar",
    args: ["--cert", cert, "--key", key, "--mode", "tcp", ...flags],
    env: {},
    cleanup,
  });
  expect(code).toBe(2);
  expect(stderr.trim().split("\n")).toEqual([
    "tls-sidecar: --hsts: expected --mode http beside it, got tcp",
    "tls-sidecar: --rewrite-location: expected --mode http beside it, got tcp",
    "tls-sidecar: --rewrite-cookies: expected --mode http beside it, got tcp",
    "tls-sidecar: --hsts: expected whole seconds, got 1500ms",
  ]);
});
