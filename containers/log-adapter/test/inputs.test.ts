// Inputs other than files: whoever sends, over whatever it sends, each line becomes a record.
import { execFileSync, spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { existsSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { connect } from "node:net";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";

import { createCertificateAuthority, findProgram, tempDir, until } from "@outrigger/testing";
import { expect, onTestFinished as cleanup, test } from "vitest";

import { startCollector } from "./collector.ts";
import type { Filter } from "./filter.ts";
import { startFilter } from "./filter.ts";

const QUICK = ["--multiline-timeout", "20ms", "--drain-delay", "0"];

/** The adapter with one input that listens, and where it does. */
async function startListening(input: string, args: readonly string[] = []): Promise<{ filter: Filter; port: number }> {
  const filter = startFilter(cleanup, ["--input", input, ...QUICK, ...args]);
  const kind = input.split(":")[0]!.replace("+", "\\+");
  const pattern = new RegExp(`"listener":"${kind}","address":"([^"]+)"`);
  const address = await until(() => pattern.exec(filter.errors())?.[1]);
  return { filter, port: Number(address.split(":").at(-1)) };
}

const bodies = (filter: Filter): string[] => filter.records().map(({ Body }) => Body);

const sendTcp = (port: number, text: string): void => {
  const socket = connect(port, "127.0.0.1", () => void socket.end(text));
  socket.on("error", () => undefined);
};

test("lines over TCP are records, also the last one without its end; each connection is a stream of its own", async () => {
  const { filter, port } = await startListening("tcp://127.0.0.1:0");
  sendTcp(port, "2006-01-02 15:04:05,000 ERROR a.B: no\njava.io.IOException: disk\n\tat a.B.run(B.java:1)");
  sendTcp(port, "one\ntwo");
  await until(() => filter.records().length === 3);
  expect(bodies(filter).toSorted()).toEqual(["no\njava.io.IOException: disk\n\tat a.B.run(B.java:1)", "one", "two"]);
});

test("syslog over TCP is read in both framings, even in one connection and cut anywhere", async () => {
  const { filter, port } = await startListening("syslog+tcp://127.0.0.1:0");
  const message = "<11>1 2006-01-02T15:04:05Z web app 7 - - two\nlines";
  const text = `<12>Jan  2 15:04:05 web app[7]: first\n${message.length} ${message}<13>Jan  2 15:04:06 web app[7]: third\n`;
  const socket = connect(port, "127.0.0.1");
  cleanup(() => void socket.destroy());
  for (const char of text) await new Promise<void>((resolve) => void socket.write(char, () => resolve()));
  await until(() => filter.records().length === 3);
  expect(bodies(filter)).toEqual(["first", "two\nlines", "third"]);
  expect(filter.records().map(({ SeverityNumber }) => SeverityNumber)).toEqual([13, 17, 10]);
});

test("a length beyond the limit ends its connection, and no other", async () => {
  const { filter, port } = await startListening("syslog+tcp://127.0.0.1:0", ["--max-line-size", "1KiB"]);
  sendTcp(port, "99999999 <12>Jan  2 15:04:05 web app[7]: no");
  await until(() => filter.errors().includes("expected a message of at most 1024 bytes"));
  sendTcp(port, "<12>Jan  2 15:04:05 web app[7]: yes\n");
  await until(() => bodies(filter).includes("yes"));
});

test("syslog over TLS needs its certificate, and is read as over TCP", async () => {
  const folder = tempDir(cleanup);
  const authority = await createCertificateAuthority();
  const { cert, key } = await authority.issue({ dns: ["localhost"] });
  writeFileSync(join(folder, "cert.pem"), cert);
  writeFileSync(join(folder, "key.pem"), key);
  const tls = ["--input-tls-cert", join(folder, "cert.pem"), "--input-tls-key", join(folder, "key.pem")];
  const { filter, port } = await startListening("syslog+tls://127.0.0.1:0", tls);
  const socket = connectTls({ port, host: "127.0.0.1", servername: "localhost", ca: authority.pem }, () => {
    socket.end("<12>Jan  2 15:04:05 web app[7]: secret\n");
  });
  await until(() => bodies(filter).includes("secret"));
  const { code, errors } = await startFilter(cleanup, ["--input", "syslog+tls://127.0.0.1:0"]).end();
  expect(code).toBe(2);
  expect(errors).toContain("expected --input-tls-cert and --input-tls-key with it");
});

test("datagrams are lines or syslog messages", async () => {
  const [syslog, lines] = [await startListening("syslog+udp://127.0.0.1:0"), await startListening("udp://127.0.0.1:0")];
  const socket = createSocket("udp4");
  cleanup(() => void socket.close());
  socket.send("<12>Jan  2 15:04:05 web app[7]: hello\n", syslog.port, "127.0.0.1");
  socket.send("one\ntwo\n", lines.port, "127.0.0.1");
  await until(() => bodies(syslog.filter).includes("hello") && bodies(lines.filter).length === 2);
});

test("what senders that cannot wait send while there is no room is dropped, and the counts add up", async () => {
  const collector = await startCollector(cleanup);
  collector.answer = () => ({ status: 503 });
  const args = ["--output", `http://127.0.0.1:${collector.port}/`, "--buffer-memory", "1KiB"];
  const { filter, port } = await startListening("udp://127.0.0.1:0", args);
  const socket = createSocket("udp4");
  cleanup(() => void socket.close());
  const admin = await until(() => /"listener":"admin","address":"([^"]+)"/.exec(filter.errors())?.[1]);
  const valueOf = (text: string, name: string): number =>
    [...text.matchAll(new RegExp(`^log_adapter_lines_${name}\\{input="udp[^}]*\\} (\\d+)`, "gm"))].reduce(
      (sum, [, value]) => sum + Number(value),
      0,
    );
  await until(async () => {
    socket.send("a line that nobody takes", port, "127.0.0.1");
    const text = await fetch(`http://${admin}/metrics`).then((response) => response.text());
    const [read, delivered, dropped, pending] = ["read_total", "delivered_total", "dropped_total", "pending"].map(
      (name) => valueOf(text, name),
    );
    expect(read).toBe(delivered! + dropped! + pending!);
    return dropped! > 10 && pending! > 0;
  });
});

test("HTTP requests bring objects, lists, lines of JSON and plain lines, and are answered when they have arrived", async () => {
  const { filter, port } = await startListening("http://127.0.0.1:0");
  const post = (body: string) =>
    fetch(`http://127.0.0.1:${port}/`, { method: "POST", body }).then(({ status }) => status);
  expect(await post('{\n  "level": "warn",\n  "msg": "object"\n}')).toBe(204);
  expect(await post('[{"msg":"list 1"},{"msg":"list 2"}]')).toBe(204);
  expect(await post('{"level":"error","msg":"line 1"}\n{"level":"info","msg":"line 2"}\n')).toBe(204);
  expect(await post("2006-01-02 15:04:05,000 INFO plain\n")).toBe(204);
  expect(bodies(filter)).toEqual(["object", "list 1", "list 2", "line 1", "line 2", "plain"]);
  expect(await fetch(`http://127.0.0.1:${port}/`).then(({ status }) => status)).toBe(405);
});

test("a request is answered 503 while no output takes it, and 413 when it is too large", async () => {
  const collector = await startCollector(cleanup);
  collector.answer = () => ({ status: 500 });
  const args = [
    "--output",
    `http://127.0.0.1:${collector.port}/`,
    "--output-timeout",
    "300ms",
    "--max-request-size",
    "1KiB",
  ];
  const { port } = await startListening("http://127.0.0.1:0", args);
  const post = (body: string) =>
    fetch(`http://127.0.0.1:${port}/`, { method: "POST", body }).then(({ status }) => status);
  expect(await post("x".repeat(2000))).toBe(413);
  expect(await post("hello")).toBe(503);
});

test("a named pipe goes on when its writers go", async () => {
  const path = join(tempDir(cleanup), "pipe");
  execFileSync("mkfifo", [path]);
  const filter = startFilter(cleanup, ["--input", `fifo:${path}`, ...QUICK]);
  await until(() => filter.errors().includes('"reading"'));
  execFileSync("sh", ["-c", `echo one > ${path}`]);
  await until(() => bodies(filter).includes("one"));
  execFileSync("sh", ["-c", `echo two > ${path}`]);
  await until(() => bodies(filter).includes("two"));
});

test("what commands write is lines, each time they run; one that fails is told and not ready", async () => {
  const filter = startFilter(cleanup, [
    "--input",
    "exec:sh -c 'echo level=warn msg=hello; echo failed >&2'",
    "--poll-every",
    "50ms",
    ...QUICK,
  ]);
  await until(() => bodies(filter).filter((body) => body === "hello").length >= 2);
  expect(bodies(filter)).toContain("failed");
  const failing = startFilter(cleanup, ["--input", "exec:/nowhere/command", ...QUICK]);
  await until(() => failing.errors().includes("input does not answer"));
});

test("JSON that is asked for: of a list what is new, and an object each time", async () => {
  let list: object[] = [{ msg: "a", level: "warn" }];
  const server = createServer(
    (incoming, outgoing) => void outgoing.end(JSON.stringify(incoming.url === "/list" ? list : { msg: "state" })),
  );
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  cleanup(() => void server.close());
  const { port } = server.address() as { port: number };
  const start = (path: string) =>
    startFilter(cleanup, ["--input", `poll+http://127.0.0.1:${port}${path}`, "--poll-every", "30ms", ...QUICK]);
  const [lists, objects] = [start("/list"), start("/object")];
  await until(() => bodies(lists).includes("a"));
  list = [...list, { msg: "b" }];
  await until(() => bodies(lists).includes("b") && bodies(objects).length > 3);
  expect(bodies(lists)).toEqual(["a", "b"]);
});

const redis = findProgram("redis-server");

async function startRedis(port: number, args: readonly string[] = []): Promise<() => Promise<void>> {
  const server = spawn(redis!, [
    "--port",
    String(port),
    "--save",
    "",
    "--slowlog-log-slower-than",
    "0",
    "--dir",
    tempDir(cleanup),
    ...args,
  ]);
  cleanup(() => void server.kill("SIGKILL"));
  await until(() => canConnect(port));
  return async () => {
    server.kill("SIGKILL");
    await new Promise((resolve) => void server.once("close", resolve));
  };
}

const canConnect = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => (socket.destroy(), resolve(true)));
    socket.on("error", () => resolve(false));
  });

const freePort = async (): Promise<number> => {
  const server = createServer();
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => void server.close(resolve));
  return port;
};

test.skipIf(redis === undefined)(
  "Redis' slow commands are records: none twice, none of its own, all after a restart",
  async () => {
    const port = await freePort();
    const stop = await startRedis(port);
    const args = [
      "--input",
      `redis-slowlog://127.0.0.1:${port}`,
      "--slowlog-interval",
      "50ms",
      "--timezone",
      "UTC",
      ...QUICK,
    ];
    const filter = startFilter(cleanup, args);
    const command = (...words: string[]): void => void execFileSync("redis-cli", ["-p", String(port), ...words]);
    command("SET", "a", "1");
    await until(() => bodies(filter).includes("SET a 1"));
    const record = filter.records().find(({ Body }) => Body === "SET a 1");
    expect(Math.abs(Date.parse(record!.Timestamp!) - Date.now())).toBeLessThan(10_000);
    expect(record!.Attributes).toMatchObject({
      "db.system.name": "redis",
      "redis.slowlog.id": expect.any(Number) as number,
    });
    // More at once than are asked for at first.
    execFileSync("redis-cli", ["-p", String(port), "CONFIG", "SET", "slowlog-max-len", "5000"]);
    execFileSync("redis-cli", ["-p", String(port)], {
      input: Array.from({ length: 600 }, (_, i) => `SET b${i} ${i}\n`).join(""),
    });
    await until(() => bodies(filter).includes("SET b599 599"));
    await stop();
    await until(() => filter.errors().includes("input does not answer"));
    await startRedis(port);
    command("SET", "c", "3");
    await until(() => bodies(filter).includes("SET c 3"));
    const all = bodies(filter);
    for (let i = 0; i < 600; i++) expect(all.filter((body) => body === `SET b${i} ${i}`)).toHaveLength(1);
    expect(all.some((body) => body.startsWith("SLOWLOG"))).toBe(false);
  },
);

const logger = findProgram("logger");

test.skipIf(logger === undefined)(
  "logger's messages are read over UDP, TCP in both framings, and a Unix socket",
  async () => {
    const socket = join(tempDir(cleanup), "log.sock");
    const udp = await startListening("syslog+udp://127.0.0.1:0");
    const tcp = await startListening("syslog+tcp://127.0.0.1:0");
    const unix = startFilter(cleanup, ["--input", `syslog+unix:${socket}`, ...QUICK]);
    await until(() => unix.errors().includes('"listener":"syslog+unix"'));
    const send = (...args: string[]): void => void execFileSync(logger!, ["-p", "user.warning", "-t", "shop", ...args]);
    send("-n", "127.0.0.1", "-P", String(udp.port), "-d", "--rfc3164", "by udp");
    send("-n", "127.0.0.1", "-P", String(tcp.port), "-T", "--rfc5424", "by tcp");
    send("-n", "127.0.0.1", "-P", String(tcp.port), "-T", "--octet-count", "counted");
    send("-u", socket, "by socket");
    await until(
      () =>
        bodies(udp.filter).includes("by udp") && bodies(tcp.filter).length === 2 && bodies(unix).includes("by socket"),
    );
    expect(bodies(tcp.filter).toSorted()).toEqual(["by tcp", "counted"]);
    for (const { SeverityNumber, Attributes } of [
      ...udp.filter.records(),
      ...tcp.filter.records(),
      ...unix.records(),
    ]) {
      expect([SeverityNumber, Attributes["service.name"]]).toEqual([13, "shop"]);
    }
  },
);

const rsyslog = findProgram("rsyslogd");

test.skipIf(rsyslog === undefined || logger === undefined)(
  "rsyslog forwards to it over TCP in both framings",
  async () => {
    const folder = tempDir(cleanup);
    const { filter, port } = await startListening("syslog+tcp://127.0.0.1:0");
    const config = join(folder, "rsyslog.conf");
    const target = `target="127.0.0.1" port="${port}" protocol="tcp"`;
    writeFileSync(
      config,
      `global(workDirectory="${folder}")\nmodule(load="imuxsock" SysSock.Use="off")\ninput(type="imuxsock" Socket="${folder}/in.sock")\n` +
        `action(type="omfwd" ${target} TCP_Framing="octet-counted" template="RSYSLOG_SyslogProtocol23Format")\n` +
        `action(type="omfwd" ${target} TCP_Framing="traditional" template="RSYSLOG_TraditionalForwardFormat")\n`,
    );
    const server = spawn(rsyslog!, ["-n", "-f", config, "-i", join(folder, "pid")], { stdio: "ignore" });
    cleanup(() => void server.kill("SIGKILL"));
    await until(() => existsSync(join(folder, "in.sock")));
    execFileSync(logger!, ["-u", join(folder, "in.sock"), "-p", "daemon.err", "-t", "shop", "it broke"]);
    await until(() => bodies(filter).filter((body) => body === "it broke").length === 2);
    expect(new Set(filter.records().map(({ Attributes }) => Attributes["log.format"]))).toEqual(
      new Set(["syslog", "syslog5424"]),
    );
    expect(filter.records().every(({ SeverityNumber }) => SeverityNumber === 17)).toBe(true);
  },
);
