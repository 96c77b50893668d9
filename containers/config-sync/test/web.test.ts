// Files of an HTTP server: a real nginx as it should be, and servers of the test's own that are as bad as servers get.
import { createHash, generateKeyPairSync, sign } from "node:crypto";
import { chmodSync, writeFileSync } from "node:fs";
import type { IncomingHttpHeaders, ServerResponse } from "node:http";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

import { spawnContainer, startApp, tempDir, until } from "@outrigger/testing";
import { describe, expect, onTestFinished as cleanup, test } from "vitest";

import { nginx, startNginx } from "./nginx.ts";
import { createSync, withApi } from "./sync.ts";
import type { Started, Sync } from "./sync.ts";

/** A container whose only source is this. */
function startWeb(sync: Sync, source: string, ...args: string[]): Started {
  const quick = [
    "--admin-listen",
    "127.0.0.1:0",
    "--drain-delay",
    "0",
    "--quiet-period",
    "10ms",
    "--interval",
    "100ms",
  ];
  return withApi(
    spawnContainer({
      name: "config-sync",
      args: [...quick, "--output", sync.output, "--source", source, ...args],
      cleanup,
    }),
  );
}

type Answer = (response: ServerResponse, headers: IncomingHttpHeaders, url: string) => void;

async function startOrigin(first: Answer) {
  let answer = first;
  const asked: { headers: IncomingHttpHeaders; url: string }[] = [];
  const app = await startApp(
    (request, response) => {
      asked.push({ headers: request.headers, url: request.url! });
      answer(response, request.headers, request.url!);
    },
    { cleanup },
  );
  return { app, asked, url: `http://${app.address}`, become: (next: Answer) => void (answer = next) };
}

const text =
  (body: string | Buffer, headers: Record<string, string> = {}): Answer =>
  (response) =>
    void response.writeHead(200, headers).end(body);

describe.skipIf(nginx.skip)(nginx.title("a real nginx as the origin"), () => {
  test("what changes there is published, and what did not is answered 304", async () => {
    const sync = createSync(cleanup);
    const files = tempDir(cleanup);
    const conf = tempDir(cleanup);
    // Its workers are somebody else.
    chmodSync(files, 0o755);
    writeFileSync(join(files, "app.json"), '{"a":1}');
    writeFileSync(join(conf, "site.conf"), `location / { root ${files}; }\n`);
    const server = await startNginx(conf, cleanup);
    const container = startWeb(sync, `${server.url}/app.json`, "--validate", "json");
    await sync.sees({ "app.json": '{"a":1}' });
    const fetched = async () => (await container.metrics()).value("config_sync_fetches_total", { outcome: "ok" })!;
    await until(async () => (await fetched()) > 3);
    writeFileSync(join(files, "app.json"), '{"a":22}');
    await sync.sees({ "app.json": '{"a":22}' });
    await until(
      async () => (await container.metrics()).value("config_sync_syncs_total", { outcome: "published" }) === 2,
    );
  });
});

test("what changed in the second of its answer is got again, whatever the server calls it", async () => {
  const sync = createSync(cleanup);
  const now = new Date();
  const called = { etag: '"same"', "last-modified": now.toUTCString() };
  let body = "one";
  const origin = await startOrigin((response, headers) => {
    if (headers["if-none-match"] === '"same"' || headers["if-modified-since"] !== undefined)
      response.writeHead(304).end();
    else text(body, { ...called, date: now.toUTCString() })(response, headers, "");
  });
  startWeb(sync, `${origin.url}/app.txt`);
  await sync.sees({ "app.txt": "one" });
  body = "two";
  await sync.sees({ "app.txt": "two" });
});

test("a server that knows ETags is asked with what is known, and its 304 costs nothing", async () => {
  const sync = createSync(cleanup);
  let full = 0;
  const origin = await startOrigin((response, headers) => {
    if (headers["if-none-match"] === '"one"') response.writeHead(304).end();
    else text(`full ${++full}`, { etag: '"one"' })(response, headers, "");
  });
  const container = startWeb(sync, `${origin.url}/dir/app.txt#name=conf/app.conf`);
  await sync.sees({ "conf/app.conf": "full 1" });
  await until(() => origin.asked.length > 4);
  expect(full).toBe(1);
  expect((await container.status()).outcome).toBe("unchanged");
});

test("a server that waits for changes tells of them at once", async () => {
  const sync = createSync(cleanup);
  let version = 1;
  const waiting: (() => void)[] = [];
  const answer = (response: ServerResponse) =>
    response.writeHead(200, { etag: `"${version}"` }).end(`version ${version}`);
  const origin = await startOrigin((response, headers) => {
    if (headers["if-none-match"] !== `"${version}"` || headers["prefer"] !== "wait=60") answer(response);
    else waiting.push(() => answer(response));
  });
  startWeb(sync, `${origin.url}/app.txt#wait=60s`, "--interval", "1h");
  await sync.sees({ "app.txt": "version 1" });
  await until(() => waiting.length === 1);
  version = 2;
  waiting.shift()!();
  await sync.sees({ "app.txt": "version 2" });
  await until(() => waiting.length === 1);
});

test.each([
  [
    "cut off",
    (response: ServerResponse) => {
      response.writeHead(200, { "content-length": "100" });
      response.write("beginning");
      setImmediate(() => response.destroy());
    },
    "expected an answer, got",
  ],
  ["an error", (response: ServerResponse) => void response.writeHead(500).end("oops"), "expected status 200, got 500"],
  ["nothing", (response: ServerResponse) => void response.writeHead(200).end(), "expected content, got none"],
  [
    "endless",
    (response: ServerResponse) => {
      const more = (): unknown => response.destroyed || (response.write("x".repeat(10_000)), setImmediate(more));
      more();
    },
    "more than 1024 bytes",
  ],
  ["silent", () => undefined, "no whole answer within 300 ms"],
  ["invalid", text("{"), "expected JSON, got"],
  [
    "a redirect loop",
    (response: ServerResponse) => void response.writeHead(302, { location: "/app.json" }).end(),
    "a redirect to /app.json",
  ],
] as [string, Answer, string][])(
  "what is %s changes nothing, is told, and heals when the server does",
  async (_, bad, reason) => {
    const sync = createSync(cleanup);
    const origin = await startOrigin(text("[1]"));
    const container = startWeb(
      sync,
      `${origin.url}/app.json#timeout=300ms`,
      "--max-size",
      "1KiB",
      "--validate",
      "json",
    );
    await sync.sees({ "app.json": "[1]" });
    origin.become(bad);
    await until(async () => (await container.status()).error?.includes(reason) === true, { describe: reason });
    expect(sync.visible()).toEqual({ "app.json": "[1]" });
    origin.become(text("[2]"));
    await sync.sees({ "app.json": "[2]" });
    await until(async () => (await container.status()).error === null);
  },
);

test("a restart while the origin is down is ready with what is on disk", async () => {
  const sync = createSync(cleanup);
  const origin = await startOrigin(text("1"));
  const first = startWeb(sync, `${origin.url}/a`);
  await sync.sees({ a: "1" });
  await first.stop();
  await origin.app.close();
  const second = startWeb(sync, `${origin.url}/a`);
  await until(async () => (await second.admin("/readyz")).status === 200);
  expect((await second.status()).error).toContain("expected an answer, got");
  expect(sync.visible()).toEqual({ a: "1" });
});

test("a body whose digest is not the one beside it is refused, and one with the right digest taken", async () => {
  const sync = createSync(cleanup);
  const digest = (body: string): string => createHash("sha256").update(body).digest("hex");
  let [body, beside] = ["one", digest("one")];
  const origin = await startOrigin(
    (response, _, url) => void response.end(url.endsWith(".sha256") ? `${beside}  a\n` : body),
  );
  const container = startWeb(sync, `${origin.url}/a#digest=.sha256`);
  await sync.sees({ a: "one" });
  body = "forged";
  await until(async () => (await container.status()).error?.includes("expected SHA-256") === true);
  expect(sync.visible()).toEqual({ a: "one" });
  beside = digest(body);
  await sync.sees({ a: "forged" });
});

test("a body that was not signed with the key is refused", async () => {
  const sync = createSync(cleanup);
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const key = join(sync.folder, "key.pem");
  writeFileSync(key, publicKey.export({ type: "spki", format: "pem" }));
  let [body, signed] = ["one", "one"];
  const signature = (): string => sign(null, Buffer.from(signed), privateKey).toString("base64");
  const origin = await startOrigin((response, _, url) => void response.end(url.endsWith(".sig") ? signature() : body));
  const container = startWeb(sync, `${origin.url}/a#signature=.sig&key=${key}`);
  await sync.sees({ a: "one" });
  body = "forged";
  await until(async () => (await container.status()).error?.includes("expected a body signed with the key") === true);
  expect(sync.visible()).toEqual({ a: "one" });
  signed = body;
  await sync.sees({ a: "forged" });
});

test("credentials come from a file, are read anew, go nowhere else and show nowhere", async () => {
  const sync = createSync(cleanup);
  const credentials = join(sync.folder, "token");
  writeFileSync(credentials, "Bearer s3cret-one\n");
  const other = await startOrigin(text("elsewhere"));
  const origin = await startOrigin((response, headers) =>
    headers["authorization"] === "Bearer s3cret-one"
      ? void response.end("1")
      : void response.writeHead(302, { location: `${other.url}/a` }).end(),
  );
  const container = startWeb(sync, `${origin.url}/a?secret=s3cret-query#authorization=${credentials}`);
  await sync.sees({ a: "1" });
  writeFileSync(credentials, "Bearer s3cret-two\n");
  await sync.sees({ a: "elsewhere" });
  expect(other.asked[0]!.headers["authorization"]).toBeUndefined();
  const shown =
    container.rawStderr() + (await container.admin("/metrics")).body + (await container.admin("/api/v1/status")).body;
  expect(shown).not.toContain("s3cret");
});

test("a bundle is unpacked, and a bomb or a path that leads out changes nothing", async () => {
  const sync = createSync(cleanup);
  const origin = await startOrigin(text('{"a":"1","sub/b":"2"}'));
  const container = startWeb(sync, `${origin.url}/bundle#format=json-map`);
  await sync.sees({ a: "1", "sub/b": "2" });
  origin.become(text('{"../../evil":"1"}'));
  await until(async () => (await container.status()).error?.includes("expected a path inside of the folder") === true);
  expect(sync.visible()).toEqual({ a: "1", "sub/b": "2" });
  await container.stop();
  const tar = startWeb(sync, `${origin.url}/bundle.tar.gz`, "--max-size", "1MiB", "--max-files", "10");
  origin.become(text(gzipSync(Buffer.alloc(100_000_000))));
  await until(async () => (await tar.metrics()).value("config_sync_limits_reached_total", { limit: "bytes" })! > 0);
  expect(sync.visible()).toEqual({ a: "1", "sub/b": "2" });
});

test("wrong settings are told before anything is started", async () => {
  const sync = createSync(cleanup);
  for (const [source, problem] of [
    ["https://user:pass@host/a", "expected a URL without credentials in it, got one for host"],
    ["https://host/", "expected a URL that ends with a file's name, or name=NAME"],
    ["https://host/a#formt=tar", "expected settings among format"],
    ["https://host/a#sha256=12", "expected sha256= with 64 hexadecimal digits, got 12"],
    ["https://host/a#signature=.sig", "expected signature and key together"],
    ["https://host/a#wait=soon", "expected wait and timeout to be a duration"],
  ] as const) {
    const { code, stderr } = await sync.run("--check-config", "--source", source);
    expect.soft([code, stderr]).toEqual([2, expect.stringContaining(problem)]);
    expect.soft(stderr).not.toContain("pass@");
  }
});
