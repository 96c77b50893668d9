// Outputs: what collectors are sent, and what happens while they do not take it.
import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";

import {
  createCertificateAuthority,
  repository,
  runtimePath,
  spawnContainer,
  tempDir,
  until,
} from "@outrigger/testing";
import { expect, onTestFinished as cleanup, test } from "vitest";

import { createFolder, parseRecords } from "./adapter.ts";
import { startCollector, startReceiver } from "./collector.ts";
import { startFilter } from "./filter.ts";

/** Each is whole by itself, so that both come in one batch. */
const LINES =
  '{"time":"2006-01-02T15:04:05.123Z","level":"WARN","thread":"main","msg":"it is low"}\n' +
  '{"time":"2006-01-02T15:04:06.000Z","level":"INFO","thread":"main","msg":"it is full"}\n';
const BODIES = ["it is low", "it is full"];

test("records go as JSON lines to a collector over HTTP, with the header fields and the token that it wants", async () => {
  const collector = await startCollector(cleanup);
  const token = join(tempDir(cleanup), "token");
  writeFileSync(token, "secret\n");
  const args = ["--output", `http://127.0.0.1:${collector.port}/in`, "--output-token-file", token];
  const { code } = await startFilter(cleanup, [...args, "--output-header", "X-Scope-OrgID: shop"]).end(LINES);
  expect(code).toBe(0);
  const [received] = collector.taken;
  expect(received).toMatchObject({
    path: "/in",
    headers: { authorization: "Bearer secret", "x-scope-orgid": "shop", "content-type": "application/x-ndjson" },
  });
  expect(parseRecords(received!.text).map(({ Body }) => Body)).toEqual(BODIES);
});

test("OTLP collectors get resource, time, severity, body and attributes as the protocol has them in JSON", async () => {
  const collector = await startCollector(cleanup);
  const args = ["--output", `otlp+http://127.0.0.1:${collector.port}`, "--resource", "service.name=shop"];
  await startFilter(cleanup, args).end(LINES);
  expect(collector.taken[0]!.path).toBe("/v1/logs");
  expect(JSON.parse(collector.taken[0]!.text)).toMatchObject({
    resourceLogs: [
      {
        resource: { attributes: [{ key: "service.name", value: { stringValue: "shop" } }] },
        scopeLogs: [
          {
            scope: { name: "log-adapter" },
            logRecords: [
              {
                timeUnixNano: "1136214245123000000",
                severityNumber: 13,
                severityText: "WARN",
                body: { stringValue: "it is low" },
                attributes: expect.arrayContaining([{ key: "thread", value: { stringValue: "main" } }]) as object,
              },
              { timeUnixNano: "1136214246000000000", body: { stringValue: "it is full" } },
            ],
          },
        ],
      },
    ],
  });
});

test("Loki gets one stream by the resource, with times in nanoseconds and the rest as structured metadata", async () => {
  const collector = await startCollector(cleanup);
  collector.answer = () => ({ status: 204, text: "" });
  const args = ["--output", `loki+http://127.0.0.1:${collector.port}`, "--resource", "service.name=shop"];
  await startFilter(cleanup, args).end(LINES);
  expect(collector.taken[0]!.path).toBe("/loki/api/v1/push");
  const { streams } = JSON.parse(collector.taken[0]!.text) as { streams: { stream: object; values: unknown[][] }[] };
  expect(streams).toHaveLength(1);
  expect(streams[0]!.stream).toEqual({ service_name: "shop" });
  expect(streams[0]!.values[0]).toEqual([
    "1136214245123000000",
    "it is low",
    { thread: "main", log_format: "json", severity_number: "13", severity_text: "WARN" },
  ]);
});

test("Elasticsearch gets documents in bulk; those it had no room for come again, those it refuses are counted", async () => {
  const collector = await startCollector(cleanup);
  const answers = [
    { status: 200, text: '{"errors":true,"items":[{"create":{"status":429}},{"create":{"status":400}}]}' },
    { status: 200, text: '{"errors":false,"items":[]}' },
  ];
  collector.answer = () => answers.shift() ?? { status: 500 };
  const { errors } = await startFilter(cleanup, ["--output", `elasticsearch+http://127.0.0.1:${collector.port}`]).end(
    LINES,
  );
  const documents = collector.taken.map(({ text }) =>
    text
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as object),
  );
  expect(documents[0]).toMatchObject([
    { create: {} },
    { message: "it is low" },
    { create: {} },
    { message: "it is full" },
  ]);
  expect(documents[1]).toMatchObject([{ create: {} }, { message: "it is low", "log.level": "WARN" }]);
  expect(errors).toContain("output refuses records for good");
});

test("HTTPS is trusted by the authorities that are given, and by no others", async () => {
  const authority = await createCertificateAuthority();
  const certificate = await authority.issue({ dns: ["localhost"], ips: ["127.0.0.1"] });
  const { createServer } = await import("node:https");
  let bodies = 0;
  const server = createServer({ cert: certificate.cert, key: certificate.key }, (incoming, outgoing) => {
    incoming.resume().on("end", () => (bodies++, outgoing.end()));
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  cleanup(() => void server.close());
  const { port } = server.address() as { port: number };
  const ca = join(tempDir(cleanup), "ca.pem");
  writeFileSync(ca, authority.pem);
  const output = `https://127.0.0.1:${port}/`;
  const { code } = await startFilter(cleanup, ["--output", output, "--output-ca", ca]).end(LINES);
  expect([code, bodies]).toEqual([0, 1]);
  const untrusting = startFilter(cleanup, ["--output", output]);
  untrusting.write(LINES);
  await until(() => untrusting.errors().includes("output does not take records"));
  expect(bodies).toBe(1);
});

test("syslog servers get each record as one frame, and TCP servers lines, also after the connection has been cut", async () => {
  const [syslog, tcp] = [await startReceiver(cleanup), await startReceiver(cleanup)];
  const outputs = ["--output", `syslog+tcp://127.0.0.1:${syslog.port}`, "--output", `tcp://127.0.0.1:${tcp.port}`];
  const filter = startFilter(cleanup, [...outputs, "--resource", "service.name=shop", "--multiline-timeout", "20ms"]);
  filter.write(LINES);
  await until(() => tcp.text().includes("it is full") && syslog.text().includes("it is full"));
  const frame = "<12>1 2006-01-02T15:04:05.123Z - shop - - - it is low";
  expect(syslog.text().startsWith(`${frame.length} ${frame}`)).toBe(true);
  expect(parseRecords(tcp.text()).map(({ Body }) => Body)).toEqual(BODIES);
  for (const receiver of [syslog, tcp]) receiver.hangUp();
  filter.write("2006-01-02 15:04:07,000 INFO after\n");
  filter.write("2006-01-02 15:04:08,000 INFO later\n");
  await until(() => tcp.text().includes("later") && syslog.text().includes("later"));
  expect((await filter.end()).code).toBe(0);
});

test("while one output is down another gets what there is, and nothing is lost for the first", async () => {
  const folder = createFolder(cleanup);
  const collector = await startCollector(cleanup);
  collector.answer = () => ({ status: 503 });
  writeFileSync(folder.at("a.log"), LINES);
  const adapter = folder.start(["--output", `http://127.0.0.1:${collector.port}/`]);
  await until(() => folder.bodies().length === 2);
  await until(() => collector.requests() > 1);
  expect((await adapter.admin("/readyz")).status).toBe(503);
  const metrics = await adapter.metrics();
  const input = `file:${folder.at("*.log")}`;
  expect(metrics.value("log_adapter_lines_pending", { input })).toBe(2);
  expect(readFileSync(folder.at("state/checkpoint.json"), "utf8")).toContain('"position":0');
  collector.answer = () => ({ status: 200 });
  await until(() => collector.taken.length > 0);
  expect(parseRecords(collector.taken[0]!.text).map(({ Body }) => Body)).toEqual(BODIES);
  await until(async () => (await adapter.metrics()).value("log_adapter_lines_delivered_total", { input }) === 2);
});

test("what a collector refuses for good is counted as dropped, told once, and holds up nothing", async () => {
  const folder = createFolder(cleanup);
  const collector = await startCollector(cleanup);
  collector.answer = () => ({ status: 400, text: "too old" });
  writeFileSync(folder.at("a.log"), LINES);
  const adapter = folder.start(["--output", `http://127.0.0.1:${collector.port}/`]);
  const told = await adapter.waitForLog("output refuses records for good");
  expect(told["error"]).toContain("too old");
  const input = `file:${folder.at("*.log")}`;
  await until(async () => {
    const metrics = await adapter.metrics();
    return metrics.value("log_adapter_lines_dropped_total", { input, reason: "refused" }) === 2;
  });
  expect((await adapter.metrics()).value("log_adapter_lines_pending", { input })).toBe(0);
});

test("what cannot be read again waits on disk for an output that is down, and survives being killed", async () => {
  const state = tempDir(cleanup);
  const collector = await startCollector(cleanup);
  collector.answer = () => ({ status: 503 });
  const output = `http://127.0.0.1:${collector.port}/`;
  const limits = ["--buffer-memory", "20KiB", "--state-dir", state, "--multiline-timeout", "20ms"];
  const filter = startFilter(cleanup, ["--output", output, ...limits]);
  const count = 20_000;
  const lines = Array.from({ length: count }, (_, i) => `2006-01-02 15:04:05,000 INFO number ${i}\n`);
  filter.write(lines.join(""));
  const folder = () => readdirSync(state).find((name) => name.startsWith("buffer-"));
  // All but what memory holds, which is the beginning, is on disk by then.
  await until(() => folder() !== undefined && bufferedIn(join(state, folder()!)).includes(`number ${count - 1}`));
  filter.kill();
  await filter.ended;
  // A frame that was being written when the power went is no frame.
  const [last] = readdirSync(join(state, folder()!)).sort().toReversed();
  writeFileSync(join(state, folder()!, last!), readFileSync(join(state, folder()!, last!)).subarray(0, -3));
  collector.answer = () => ({ status: 200 });
  const again = spawnContainer({
    name: "log-adapter",
    args: [
      "--admin-listen",
      "127.0.0.1:0",
      "--drain-delay",
      "0",
      "--input",
      `file:${state}/none`,
      "--output",
      output,
      "--state-dir",
      state,
    ],
    cleanup,
  });
  await again.waitForLog("buffer on disk damaged, what cannot be read is left out");
  const numbers = () =>
    collector.taken.flatMap(({ text }) => parseRecords(text).map(({ Body }) => Number(Body.split(" ")[1])));
  await until(async () => (await again.metrics()).value("log_adapter_lines_pending", { input: "buffer" }) === 0);
  const found = numbers();
  expect(found).toEqual(found.toSorted((a, b) => a - b));
  expect(new Set(found).size).toBe(found.length);
  expect(found.length).toBeGreaterThan(count / 2);
  expect(bufferedIn(join(state, folder()!))).toBe("");
});

test("what an output has not taken when the adapter is stopped is delivered by the next run", async () => {
  const state = tempDir(cleanup);
  const collector = await startCollector(cleanup);
  collector.answer = () => ({ status: 503 });
  const output = `http://127.0.0.1:${collector.port}/`;
  const args = ["--output", output, "--state-dir", state, "--drain-delay", "0", "--shutdown-timeout", "300ms"];
  const first = startFilter(cleanup, args);
  first.write(LINES);
  await until(() => collector.requests() > 0);
  first.terminate();
  expect(await first.ended).toBe(1);
  collector.answer = () => ({ status: 200 });
  const { code } = await startFilter(cleanup, args).end();
  expect(code).toBe(0);
  await until(() => collector.taken.length > 0);
  expect(parseRecords(collector.taken[0]!.text).map(({ Body }) => Body)).toEqual(BODIES);
});

const bufferedIn = (folder: string): string =>
  readdirSync(folder)
    .sort()
    .map((name) => readFileSync(join(folder, name), "latin1"))
    .join("");

test("an output file that has become too large is renamed, and as many are kept as asked for", async () => {
  const folder = createFolder(cleanup);
  writeFileSync(folder.at("a.log"), LINES);
  folder.start(["--output-file-size", "1k", "--output-file-keep", "2"]);
  await until(() => folder.bodies().length === 2);
  for (let i = 0; i < 4; i++) {
    writeFileSync(folder.at(`${i}.log`), LINES.replace("it is low", `${"x".repeat(600)} ${i}`));
    await until(() =>
      readdirSync(folder.at(".")).some(
        (name) => name.startsWith("records") && readFileSync(folder.at(name), "utf8").includes(`x ${i}`),
      ),
    );
  }
  expect(existsSync(folder.at("records.json.1"))).toBe(true);
  expect(existsSync(folder.at("records.json.2"))).toBe(true);
  expect(existsSync(folder.at("records.json.3"))).toBe(false);
});

test("a reader of standard output that stalls stops neither the probes nor, when it goes on, a single record", async () => {
  const bundle = join(repository, "containers", "log-adapter", "dist", "main.mjs");
  // oxlint-disable-next-line no-restricted-globals
  const child = spawn(
    runtimePath(process.env["OUTRIGGER_RUNTIME"] ?? "node"),
    [bundle, "--admin-listen", "127.0.0.1:0"],
    {
      stdio: ["pipe", "pipe", "pipe"],
    },
  );
  cleanup(() => void child.kill("SIGKILL"));
  let [errors, output] = ["", ""];
  child.stderr.setEncoding("utf8").on("data", (text: string) => (errors += text));
  const count = 50_000;
  child.stdin.end(Array.from({ length: count }, (_, i) => `2006-01-02 15:04:05,000 INFO number ${i}\n`).join(""));
  const address = await until(() => /"listener":"admin","address":"([^"]+)"/.exec(errors)?.[1]);
  const get = (path: string): Promise<string> =>
    new Promise((resolve, reject) => {
      request(`http://${address}${path}`, (incoming) => {
        let text = "";
        incoming.setEncoding("utf8").on("data", (piece: string) => (text += piece));
        incoming.on("end", () => resolve(text));
      })
        .on("error", reject)
        .end();
    });
  // Nobody reads: what the pipe and memory hold has been read, and not everything has been delivered.
  await until(async () => /lines_pending\{input="stdin"\} [1-9]/.test(await get("/metrics")));
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  const code = await new Promise((resolve) => void child.once("close", resolve));
  expect(code).toBe(0);
  expect(parseRecords(output)).toHaveLength(count);
});
