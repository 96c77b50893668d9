// Objects of a bucket, from a server of the test's own that lists in pages and looks at who asks.
import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { spawnContainer, startApp, until } from "@outrigger/testing";
import { expect, onTestFinished as cleanup, test } from "vitest";

import { signedHeaders } from "../src/sources/s3/signature.ts";
import { createSync, withApi } from "./sync.ts";
import type { Started, Sync } from "./sync.ts";

const KEY = { accessKey: "AKTEST", secretKey: "s3cret-key" };
const escaped = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");

/** A bucket named `conf`, with pages of two objects. */
async function startBucket(objects: Map<string, string>) {
  const state = { isDown: false, gets: [] as string[] };
  const app = await startApp(
    (request, response) => {
      const url = new URL(request.url!, `http://${request.headers.host}`);
      const time = String(request.headers["x-amz-date"]).replace(
        /(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z/,
        "$1-$2-$3T$4:$5:$6Z",
      );
      const expected = signedHeaders(url, KEY, { region: "eu-test-1", at: new Date(time) })["authorization"];
      if (state.isDown) return void response.writeHead(503).end();
      if (request.headers.authorization !== expected)
        return void response.writeHead(403).end("<Error><Code>SignatureDoesNotMatch</Code></Error>");
      if (url.searchParams.get("list-type") !== "2") {
        const key = decodeURIComponent(url.pathname).slice("/conf/".length);
        state.gets.push(key);
        const text = objects.get(key);
        return void (text === undefined ? response.writeHead(404).end() : response.end(text));
      }
      const keys = [...objects.keys()].filter((key) => key.startsWith(url.searchParams.get("prefix")!)).sort();
      const from = Number(url.searchParams.get("continuation-token") ?? 0);
      const page = keys.slice(from, from + 2).map((key) => {
        const text = objects.get(key)!;
        return `<Contents><Key>${escaped(key)}</Key><ETag>&quot;${Buffer.from(text).toString("hex")}&quot;</ETag><Size>${Buffer.byteLength(text)}</Size></Contents>`;
      });
      const more = from + 2 < keys.length;
      const next = more ? `<NextContinuationToken>${from + 2}</NextContinuationToken>` : "";
      response.end(
        `<?xml version="1.0"?><ListBucketResult xmlns="x"><IsTruncated>${more}</IsTruncated>${next}${page.join("")}</ListBucketResult>`,
      );
    },
    { cleanup },
  );
  return { state, endpoint: `http://${app.address}` };
}

function startS3(sync: Sync, endpoint: string, ...args: string[]): Started {
  const [access, secret] = [join(sync.folder, "access"), join(sync.folder, "secret")];
  writeFileSync(access, "AKTEST\n");
  writeFileSync(secret, "s3cret-key\n");
  const source = `s3://conf/app?endpoint=${endpoint}&region=eu-test-1&access-key=${access}&secret-key=${secret}`;
  const quick = ["--admin-listen", "127.0.0.1:0", "--drain-delay", "0", "--interval", "100ms"];
  return withApi(
    spawnContainer({
      name: "config-sync",
      args: [...quick, "--output", sync.output, "--source", source, ...args],
      cleanup,
    }),
  );
}

test("the objects below a prefix are published, all pages of them, and only those that have changed are got again", async () => {
  const objects = new Map([
    ["app/a & b.conf", "1"],
    ["app/sub/c.conf", "1"],
    ["app/d", "1"],
    ["app/sub/", ""],
    ["other", "x"],
  ]);
  const { state, endpoint } = await startBucket(objects);
  const sync = createSync(cleanup);
  startS3(sync, endpoint);
  await sync.sees({ "a & b.conf": "1", "sub/c.conf": "1", d: "1" });
  objects.set("app/d", "2");
  objects.delete("app/sub/c.conf");
  await sync.sees({ "a & b.conf": "1", d: "2" });
  expect(state.gets.filter((key) => key === "app/a & b.conf")).toHaveLength(1);
});

test("while the server is down, or refuses, the old set stays; keys are read anew and show nowhere", async () => {
  const objects = new Map([["app/a", "1"]]);
  const { state, endpoint } = await startBucket(objects);
  const sync = createSync(cleanup);
  const container = startS3(sync, endpoint);
  await sync.sees({ a: "1" });
  state.isDown = true;
  objects.set("app/a", "2");
  await until(async () => (await container.status()).error?.includes("got 503") === true);
  state.isDown = false;
  await sync.sees({ a: "2" });
  writeFileSync(join(sync.folder, "secret"), "wrong-s3cret");
  await until(async () => (await container.status()).error?.includes("got 403 SignatureDoesNotMatch") === true);
  expect(sync.visible()).toEqual({ a: "2" });
  expect(container.rawStderr()).not.toContain("s3cret");
});

test("more than the limits is refused before it is got", async () => {
  const { state, endpoint } = await startBucket(new Map([["app/large", "x".repeat(5000)]]));
  const container = startS3(createSync(cleanup), endpoint, "--max-size", "1KiB");
  await until(async () => (await container.status()).error?.includes("expected at most 1024 bytes") === true);
  expect(state.gets).toEqual([]);
});
