// Logs as real programs write them: nginx, haproxy, Redis, PostgreSQL, MariaDB, and traces of Java, Python and Node.js.
import { execFileSync, spawn } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";

import { findProgram, freePort, tempDir, until } from "@outrigger/testing";
import { expect, onTestFinished as cleanup, test } from "vitest";

import type { OtelRecord } from "./adapter.ts";
import { startFilter } from "./filter.ts";

const read = async (text: string): Promise<OtelRecord[]> => (await startFilter(cleanup, []).end(text)).records;

const formatsOf = (records: readonly OtelRecord[]): Set<unknown> =>
  new Set(records.map(({ Attributes }) => Attributes["log.format"]));

/** Whether the time is of the last minutes. */
const isRecent = ({ Timestamp }: OtelRecord): boolean => Math.abs(Date.now() - Date.parse(Timestamp ?? "")) < 300_000;

const canConnect = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => (socket.destroy(), resolve(true)));
    socket.on("error", () => resolve(false));
  });

function start(program: string, args: readonly string[], options: object = {}): void {
  const child = spawn(program, args, {
    stdio: "ignore",
    env: { PATH: "/usr/bin:/bin:/usr/sbin", TZ: "UTC" },
    ...options,
  });
  cleanup(() => void child.kill("SIGKILL"));
}

const nginx = findProgram("nginx");

test.skipIf(nginx === undefined)("nginx's access and error logs", async () => {
  const folder = tempDir(cleanup);
  const port = await freePort();
  writeFileSync(
    join(folder, "nginx.conf"),
    `daemon off; master_process off; pid ${folder}/pid; error_log ${folder}/error.log info; events {}
     http { access_log ${folder}/access.log combined; client_body_temp_path ${folder}; proxy_temp_path ${folder};
       fastcgi_temp_path ${folder}; uwsgi_temp_path ${folder}; scgi_temp_path ${folder};
       server { listen 127.0.0.1:${port}; root ${folder}; location /down { proxy_pass http://127.0.0.1:1; } } }`,
  );
  start(nginx!, ["-p", folder, "-c", join(folder, "nginx.conf")]);
  await until(() => canConnect(port));
  for (const path of ["/missing?a=b", "/down"])
    await fetch(`http://127.0.0.1:${port}${path}`).then((answer) => answer.text());
  await until(
    () => existsSync(join(folder, "access.log")) && readFileSync(join(folder, "access.log"), "utf8").includes("/down"),
  );
  const access = await read(readFileSync(join(folder, "access.log"), "utf8"));
  expect(
    access.map(({ SeverityNumber, Attributes }) => [SeverityNumber, Attributes["http.response.status_code"]]),
  ).toEqual([
    [13, 404],
    [17, 502],
  ]);
  const errors = await read(readFileSync(join(folder, "error.log"), "utf8"));
  expect(formatsOf(errors)).toEqual(new Set(["nginx_error"]));
  expect(errors.find(({ Body }) => Body.includes("connect() failed"))).toMatchObject({ SeverityNumber: 17 });
  expect([...access, ...errors].every(isRecent)).toBe(true);
});

const haproxy = findProgram("haproxy");

test.skipIf(haproxy === undefined)("haproxy's log by syslog, with its HTTP log within", async () => {
  const folder = tempDir(cleanup);
  const port = await freePort();
  const filter = startFilter(cleanup, ["--input", "syslog+udp://127.0.0.1:0", "--multiline-timeout", "20ms"]);
  const log = await until(() => /"listener":"syslog\+udp","address":"([^"]+)"/.exec(filter.errors())?.[1]);
  writeFileSync(
    join(folder, "haproxy.cfg"),
    `global\n  log ${log} local0\ndefaults\n  mode http\n  log global\n  option httplog\n  timeout connect 1s\n  timeout client 1s\n  timeout server 1s\nfrontend web\n  bind 127.0.0.1:${port}\n  http-request return status 503\n`,
  );
  start(haproxy!, ["-f", join(folder, "haproxy.cfg")]);
  await until(() => canConnect(port));
  await fetch(`http://127.0.0.1:${port}/a`).then((answer) => answer.text());
  const record = await until(() => filter.records().find(({ Body }) => Body.includes('"GET /a HTTP/1.1"')));
  expect(record.Attributes).toMatchObject({ "log.format": "syslog", "service.name": "haproxy", "syslog.facility": 16 });
});

const redis = findProgram("redis-server");

test.skipIf(redis === undefined)("Redis' own log", async () => {
  const port = await freePort();
  const log = join(tempDir(cleanup), "redis.log");
  start(redis!, ["--port", String(port), "--save", "", "--logfile", log]);
  await until(() => canConnect(port));
  // It listens before it says so.
  await until(() => readFileSync(log, "utf8").includes("Ready to accept"));
  const records = await read(readFileSync(log, "utf8"));
  const told = records.filter(({ Attributes }) => Attributes["log.format"] === "redis");
  expect(told.some(({ Body, SeverityNumber }) => Body.startsWith("Ready to accept") && SeverityNumber === 10)).toBe(
    true,
  );
  expect(told.every(isRecent)).toBe(true);
});

const debian = "/usr/lib/postgresql";
const postgres = existsSync(debian) ? join(debian, readdirSync(debian).toSorted().at(-1)!, "bin") : undefined;
/** Databases refuse to be root. */
const userOf = (name: string): { uid?: number; gid?: number } => {
  if (process.getuid?.() !== 0) return {};
  const id = (flag: string): number => Number(execFileSync("id", [flag, name]).toString());
  return { uid: id("-u"), gid: id("-g") };
};
const folderFor = (user: { uid?: number; gid?: number }): string => {
  const folder = tempDir(cleanup);
  chmodSync(folder, 0o777);
  if (user.uid !== undefined) execFileSync("chown", [`${user.uid}:${user.gid}`, folder]);
  return folder;
};

test.skipIf(postgres === undefined)(
  "PostgreSQL's log, as text, CSV and JSON, with a query of several lines",
  async () => {
    const user = userOf("postgres");
    const folder = folderFor(user);
    const [data, port] = [join(folder, "data"), await freePort()];
    const env = { PATH: "/usr/bin:/bin", TZ: "UTC", LC_ALL: "C" };
    execFileSync(join(postgres!, "initdb"), ["-D", data, "-U", "me", "-A", "trust"], {
      ...user,
      env,
      cwd: folder,
      stdio: "ignore",
    });
    const settings = {
      port,
      listen_addresses: "127.0.0.1",
      unix_socket_directories: folder,
      logging_collector: "on",
      log_destination: "stderr,csvlog,jsonlog",
      log_directory: folder,
      log_filename: "postgresql",
      log_timezone: "UTC",
      log_line_prefix: "%m [%p] %q%u@%d ",
    };
    const flags = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
    start(join(postgres!, "postgres"), ["-D", data, ...flags], { ...user, env, cwd: folder });
    await until(() => canConnect(port), { timeoutMs: 15_000 });
    const query = "SELECT \"a\",\n\n  'b' FROM nowhere";
    await until(() => {
      try {
        execFileSync(
          join(postgres!, "psql"),
          ["-h", "127.0.0.1", "-p", String(port), "-U", "me", "postgres", "-c", query],
          { env, stdio: "pipe" },
        );
      } catch (error) {
        return String((error as { stderr: Buffer }).stderr).includes("nowhere");
      }
      return false;
    });
    const file = (end: string): string => readFileSync(join(folder, `postgresql${end}`), "utf8");
    await until(() =>
      ["", ".csv", ".json"].every(
        (end) => existsSync(join(folder, `postgresql${end}`)) && file(end).includes("FROM nowhere"),
      ),
    );
    const [text, csv, json] = [await read(file("")), await read(file(".csv")), await read(file(".json"))];
    expect(formatsOf(text)).toEqual(new Set(["postgresql"]));
    expect(formatsOf(csv)).toEqual(new Set(["postgresql_csv"]));
    for (const records of [text, csv, json]) {
      const error = records.find(({ Body }) => Body.includes('relation "nowhere" does not exist'));
      expect(error).toMatchObject({ SeverityNumber: 17 });
      expect(records.every(isRecent)).toBe(true);
    }
    const error = csv.find(({ SeverityNumber }) => SeverityNumber === 17)!;
    expect(error.Attributes).toMatchObject({ "db.query.text": query, "error.code": "42P01", "user.name": "me" });
  },
);

const mariadb = findProgram("mariadbd");

test.skipIf(mariadb === undefined)("MariaDB's error log and its slow queries", async () => {
  const user = userOf("mysql");
  const folder = folderFor(user);
  const [data, port, socket] = [join(folder, "data"), await freePort(), join(folder, "socket")];
  mkdirSync(data);
  if (user.uid !== undefined) execFileSync("chown", [`${user.uid}:${user.gid}`, data]);
  execFileSync(
    "mariadb-install-db",
    ["--no-defaults", `--datadir=${data}`, "--auth-root-authentication-method=normal", "--skip-test-db"],
    { ...user, stdio: "ignore", cwd: folder },
  );
  const flags = [
    "--no-defaults",
    `--datadir=${data}`,
    `--port=${port}`,
    "--bind-address=127.0.0.1",
    `--socket=${socket}`,
    `--log-error=${folder}/error.log`,
    "--slow-query-log=1",
    `--slow-query-log-file=${folder}/slow.log`,
    "--long-query-time=0",
    `--pid-file=${folder}/pid`,
  ];
  start(mariadb!, flags, { ...user, cwd: folder });
  await until(() => canConnect(port), { timeoutMs: 15_000 });
  execFileSync("mariadb", ["--no-defaults", "-uroot", `--socket=${socket}`, "-e", "SELECT\n  SLEEP(0.01)"]);
  await until(
    () => existsSync(join(folder, "slow.log")) && readFileSync(join(folder, "slow.log"), "utf8").includes("SLEEP"),
  );
  const errors = await read(readFileSync(join(folder, "error.log"), "utf8"));
  const told = errors.filter(({ Attributes }) => Attributes["log.format"] === "mysql");
  expect(told.length).toBeGreaterThan(errors.length / 2);
  expect(told.some(({ Body }) => Body.includes("ready for connections"))).toBe(true);
  expect(told.every(isRecent)).toBe(true);
  const slow = await read(readFileSync(join(folder, "slow.log"), "utf8"));
  const query = slow.find(({ Body }) => Body.includes("SLEEP"))!;
  expect(query.Body).toBe("SELECT\n  SLEEP(0.01);");
  expect(query.Attributes).toMatchObject({ "log.format": "mysql_slow", "user.name": "root" });
  expect(query.Attributes["db.query.duration"]).toBeGreaterThan(0.009);
  expect(isRecent(query)).toBe(true);
});

const outputOf = (program: string, args: readonly string[], env: Record<string, string> = {}): string => {
  try {
    execFileSync(program, args, { stdio: "pipe", env: { PATH: "/usr/bin:/bin", ...env } });
    return "";
  } catch (error) {
    return String((error as { stderr: Buffer }).stderr);
  }
};

const python = findProgram("python3");

test.skipIf(python === undefined)("a Python program's traces, chained, behind the line that logs them", async () => {
  const program =
    "import logging,sys\nlogging.basicConfig(format='%(asctime)s %(levelname)s %(name)s: %(message)s')\n" +
    "try:\n  try:\n    {}['a']\n  except KeyError as e:\n    raise ValueError('bad') from e\nexcept ValueError:\n  logging.getLogger('shop').exception('it failed')\n  sys.exit(1)\n";
  const [record, ...more] = await read(outputOf(python!, ["-c", program], { TZ: "UTC" }));
  expect(more).toEqual([]);
  expect(record).toMatchObject({
    SeverityNumber: 17,
    Attributes: { "exception.type": "ValueError", "exception.message": "bad" },
  });
  expect(record!.Body.startsWith("it failed\n")).toBe(true);
  expect(isRecent(record!)).toBe(true);
});

const java = findProgram("java");

test.skipIf(java === undefined)("a Java program's trace with its cause is one record", async () => {
  const source = join(tempDir(cleanup), "Main.java");
  writeFileSync(
    source,
    'public class Main { static void run() { try { Integer.parseInt("x"); } catch (NumberFormatException e) { throw new IllegalStateException("bad", e); } }\n public static void main(String[] a) { run(); } }\n',
  );
  const records = await read(outputOf(java!, [source]));
  expect(records).toHaveLength(1);
  expect(records[0]).toMatchObject({
    SeverityNumber: 17,
    Attributes: { "exception.type": "java.lang.IllegalStateException", "exception.message": "bad" },
  });
  expect(records[0]!.Body).toContain("Caused by: java.lang.NumberFormatException");
});
