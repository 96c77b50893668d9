// What the application is told of a client's certificate, and what clients cannot tell it themselves.
import { X509Certificate } from "node:crypto";

import type { IssuedCertificate } from "@outrigger/testing";
import { rawExchange, startRawServer } from "@outrigger/testing";
import { expect, onTestFinished as cleanup, test } from "vitest";

import { clientOptions, createFiles, startSidecar, visit } from "./sidecar.ts";
import type { Files, Sidecar } from "./sidecar.ts";

const ALL = ["--identity-headers", "xfcc,client-cert,client-cert-chain"];

/** A sidecar, and the requests that have reached the application behind it, without those of the health check. */
async function start(args: string[], files?: Files): Promise<{ sidecar: Sidecar; seen: string[] }> {
  const seen: string[] = [];
  const app = await startRawServer(
    (socket) => {
      let text = "";
      socket.on("data", (bytes) => {
        text += String(bytes);
        const chunked = /transfer-encoding: chunked/i.test(text);
        if (!(chunked ? /\r\n0\r\n[^]*\r\n\r\n$/ : /\r\n\r\n$/).test(text)) return;
        seen.push(text);
        socket.end("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
      });
    },
    { cleanup },
  );
  const sidecar = await startSidecar({ target: app.address, args, cleanup, ...(files && { files }) });
  return { sidecar, seen };
}

/** The lines of identity fields in a request, however they are spelt. */
const identityLines = (request: string): string[] =>
  request.split("\r\n").filter((line) => /^(x.forwarded.client.cert|client.cert(.chain)?):/i.test(line));

const mutual = (files: Files): string[] => ["--client-auth", "request", "--client-ca", files.ca];

const derOf = (pem: string): string[] =>
  pem.match(/-----BEGIN[^]+?-----END CERTIFICATE-----/g)!.map((one) => new X509Certificate(one).raw.toString("base64"));

test.each(["TLSv1.2", "TLSv1.3"] as const)(
  "the application is told who the client is, with %s, on each connection of a client that comes back",
  async (version) => {
    const files = await createFiles(cleanup);
    await files.renew({ uris: ["spiffe://example.org/api"] });
    const { sidecar, seen } = await start([...mutual(files), ...ALL], files);
    const between = await files.authority.intermediate("between");
    const client = await between.issue({
      commonName: 'we"b',
      uris: ["spiffe://example.org/web"],
      dns: ["web.example"],
    });
    const [leaf, issuer] = derOf(client.cert);
    const first = await visit(sidecar, { cert: client, version });
    await visit(sidecar, { cert: client, version, session: first.session });
    const names = "URI=spiffe://example.org/web;DNS=web.example";
    const expected = [
      `X-Forwarded-Client-Cert: By=spiffe://example.org/api;Hash=${client.fingerprint};Subject="CN=we\\22b";${names}`,
      `Client-Cert: :${leaf}:`,
      `Client-Cert-Chain: :${issuer}:`,
    ];
    expect(seen.map(identityLines)).toEqual([expected, expected]);
  },
);

test("a session that is resumed tells the same name as the one that it resumes", async () => {
  const files = await createFiles(cleanup);
  const { sidecar, seen } = await start([...mutual(files), "--identity-headers", "xfcc"], files);
  const client = await files.authority.issue({ commonName: "web" });
  const first = await visit(sidecar, { cert: client });
  const again = await visit(sidecar, { cert: client, session: first.session });
  expect(again.reused).toBe(true);
  const expected = [`X-Forwarded-Client-Cert: Hash=${client.fingerprint};Subject="CN=web"`];
  expect(seen.map(identityLines)).toEqual([expected, expected]);
});

const SPOOFED = [
  "X-Forwarded-Client-Cert: Hash=1",
  "x_forwarded_client_cert: Hash=1",
  "X.Forwarded-Client.Cert: Hash=1",
  "Client-Cert: :AAAA:",
  "client_cert: :AAAA:",
  "Client-Cert-Chain: :AAAA:",
  "CLIENT.CERT_CHAIN: :AAAA:",
];

test.each([
  ["none is set", [] as string[]],
  ["proxies are trusted", ["--trusted-proxies", "127.0.0.1"]],
])("what a client says of its own certificate is removed from headers and trailers when %s", async (_, args) => {
  const { sidecar, seen } = await start(args);
  const fields = [...SPOOFED, "Connection: close, Client-Cert", "Transfer-Encoding: chunked", "X-Kept: yes"];
  const trailers = [...SPOOFED, "X-Trailer: yes"];
  const send = `POST /x HTTP/1.1\r\nHost: localhost\r\n${fields.join("\r\n")}\r\n\r\n2\r\nhi\r\n0\r\n${trailers.join("\r\n")}\r\n\r\n`;
  const { text } = await rawExchange({ port: sidecar.port, tls: clientOptions(sidecar), send });
  expect(text).toMatch(/^HTTP\/1\.1 204/);
  expect(seen[0]).toMatch(/\r\nX-Kept: yes\r\n[^]*\r\nX-Trailer: yes\r\n/);
  expect(identityLines(seen[0]!)).toEqual([]);
});

test("a client without a certificate gets no identity, whatever it says; one with its own gets that alone", async () => {
  const files = await createFiles(cleanup);
  const { sidecar, seen } = await start([...mutual(files), ...ALL], files);
  const client = await files.authority.issue({ commonName: "web" });
  const ask = async (cert?: IssuedCertificate): Promise<void> => {
    const send = `GET /x HTTP/1.1\r\nHost: localhost\r\n${SPOOFED.join("\r\n")}\r\n\r\n`;
    const tls = clientOptions(sidecar, { cert });
    await rawExchange({ port: sidecar.port, tls, send, until: "204" });
  };
  await ask();
  await ask(client);
  expect(seen.map(identityLines)).toEqual([
    [],
    [`X-Forwarded-Client-Cert: Hash=${client.fingerprint};Subject="CN=web"`, `Client-Cert: :${derOf(client.cert)[0]}:`],
  ]);
});

test("By names the certificate that is served now", async () => {
  const files = await createFiles(cleanup);
  const { sidecar, seen } = await start([...mutual(files), "--identity-headers", "xfcc"], files);
  const client = await files.authority.issue({ commonName: "web" });
  await files.renew({ uris: ["spiffe://example.org/renewed"] });
  await sidecar.admin("/api/v1/reload", { method: "POST" });
  await visit(sidecar, { cert: client });
  expect(identityLines(seen[0]!)[0]).toMatch(/: By=spiffe:\/\/example\.org\/renewed;Hash=/);
});

test("identity headers that could never be set are refused", async () => {
  const files = await createFiles(cleanup);
  const start = (args: string[]): Promise<Sidecar> =>
    startSidecar({ target: "127.0.0.1:1", args: [...args, ...ALL], files, cleanup, ready: false });
  await expect(start([])).rejects.toThrow("--identity-headers: expected --client-auth request or require beside it");
  await expect(start([...mutual(files), "--mode", "tcp"])).rejects.toThrow("expected --mode http beside it, got tcp");
  await expect(start(["--identity-headers", "subject"])).rejects.toThrow("--identity-headers");
});
