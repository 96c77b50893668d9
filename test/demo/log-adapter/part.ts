// The log adapter in the demo: it runs an application, nginx and Redis, three programs that agree on nothing, and gives what
// they write in one shape.
import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import type { LogRecord } from "@outrigger/testing";
import { findProgram, freePort, repository, runtimePath, until } from "@outrigger/testing";

import type { ContainerProcess } from "../container.ts";
import type { Check, Part, Pod, RunningPart } from "../part.ts";

type Otel = {
  readonly Timestamp?: string;
  readonly SeverityText?: string;
  readonly SeverityNumber: number;
  readonly Body: string;
  readonly Attributes: Readonly<Record<string, unknown>>;
};

/** What the check needs to know. */
type Scene = {
  readonly process: ContainerProcess;
  readonly records: () => Otel[];
  /** The formats that are to be seen. */
  readonly formats: readonly string[];
  readonly nginxPort: number | undefined;
};

/** `WARN redis: it is full` */
function compact(record: LogRecord): string | undefined {
  const { SeverityText = "", Body, Attributes } = record as unknown as Partial<Otel>;
  if (Body === undefined) return undefined;
  return `${SeverityText} ${String(Attributes?.["log.format"])}: ${Body.split("\n")[0]!.slice(0, 100)}`;
}

const nginxConf = (folder: string, port: number): string => `daemon off;
master_process off;
pid ${folder}/nginx.pid;
error_log ${folder}/nginx-error.log;
events {}
http {
  access_log ${folder}/nginx-access.log combined;
  client_body_temp_path ${folder};
  proxy_temp_path ${folder};
  fastcgi_temp_path ${folder};
  uwsgi_temp_path ${folder};
  scgi_temp_path ${folder};
  server { listen 127.0.0.1:${port}; return 404 "nothing\\n"; }
}
`;

async function start(pod: Pod): Promise<RunningPart> {
  const { folder } = pod;
  const [nginx, redis] = [findProgram("nginx"), findProgram("redis-server")];
  const nginxPort = nginx === undefined ? undefined : (await pod.portFor(8081)) || (await freePort());
  const records = join(folder, "records.json");
  const dictionary = join(repository, "test", "apps", "dictionary", "main.ts");
  const inputs = [`exec:${runtimePath("node")} ${dictionary} --port 0`];
  if (nginxPort !== undefined) {
    writeFileSync(join(folder, "nginx.conf"), nginxConf(folder, nginxPort));
    inputs.push(`file:${folder}/nginx-*.log`, `exec:${nginx!} -p ${folder} -c ${join(folder, "nginx.conf")}`);
  }
  if (redis !== undefined) inputs.push(`exec:${redis} --port 0 --unixsocket ${folder}/redis.sock --dir ${folder}`);
  const flags: Readonly<Record<string, string>> = {
    output: `stdout,file:${records}`,
    resource: "service.namespace=demo",
    "admin-listen": `127.0.0.1:${await pod.portFor(9913)}`,
    "multiline-timeout": "200ms",
    "drain-delay": "0",
    "shutdown-timeout": "5s",
  };
  const args = [
    ...inputs.flatMap((input) => ["--input", input]),
    ...Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value]),
  ];
  const process = pod.startContainer("log-adapter", { label: "log-adapter", args, compact });
  await process.ready();
  const adminPort = await process.portOf("admin");
  const scene: Scene = {
    process,
    nginxPort,
    records: () => recordsIn(records),
    formats: ["text", ...(nginx === undefined ? [] : ["access"]), ...(redis === undefined ? [] : ["redis"])],
  };
  return {
    processes: [process],
    listeners: [{ who: "log-adapter", url: `http://127.0.0.1:${adminPort}`, what: "its admin: probes, metrics" }],
    files: [{ names: "records.json", what: "what an application, nginx and Redis have logged, in one shape" }],
    tries: [
      { what: "The three programs' logs in one shape", command: `tail -n 3 ${records}` },
      ...(nginxPort === undefined
        ? []
        : [{ what: "Make nginx log a warning", command: `curl http://127.0.0.1:${nginxPort}/missing` }]),
    ],
    keys: [],
    checks: checksOf(scene),
  };
}

function recordsIn(path: string): Otel[] {
  if (!existsSync(path)) return [];
  const text = readFileSync(path, "utf8");
  const whole = text.slice(0, text.lastIndexOf("\n") + 1);
  return whole
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Otel);
}

const checksOf = (scene: Scene): Check[] => [
  { what: "the logs of an application, nginx and Redis come out in one shape", run: () => oneShape(scene) },
  { what: "of each, lines read = delivered + dropped + pending", run: () => addsUp(scene) },
];

async function oneShape({ records, formats, nginxPort }: Scene): Promise<string> {
  if (nginxPort !== undefined) {
    await until(() =>
      fetch(`http://127.0.0.1:${nginxPort}/missing`).then(
        (answer) => answer.text(),
        () => undefined,
      ),
    );
  }
  const found = await until(() => {
    const all = formats.map((format) => records().find(({ Attributes }) => Attributes["log.format"] === format));
    return all.every((record) => record !== undefined) ? all : undefined;
  });
  for (const record of found) {
    const { Timestamp = "", SeverityNumber, Body } = record;
    assert.ok(Math.abs(Date.now() - Date.parse(Timestamp)) < 86_400_000, `expected a time of today, got ${Timestamp}`);
    assert.ok(SeverityNumber > 0 && Body !== "", `expected a severity and a message, got ${JSON.stringify(record)}`);
  }
  return `time, severity and message of ${formats.join(", ")}`;
}

async function addsUp({ process }: Scene): Promise<string> {
  const text = (await process.admin("/metrics")).body;
  const sums = { read: 0, delivered: 0, dropped: 0, pending: 0 };
  for (const [, what, value] of text.matchAll(
    /^log_adapter_lines_(read|delivered|dropped|pending)\w*\{.*\} (\d+)$/gm,
  )) {
    sums[what as keyof typeof sums] += Number(value);
  }
  assert.ok(sums.read > 0);
  assert.equal(sums.read, sums.delivered + sums.dropped + sums.pending);
  return `${sums.read} = ${sums.delivered} + ${sums.dropped} + ${sums.pending}`;
}

export const part: Part = {
  summary:
    "log-adapter takes what an application, nginx and Redis log, each in its own way, and gives one structured stream",
  start,
};
