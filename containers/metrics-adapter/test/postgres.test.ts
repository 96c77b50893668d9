// Beside a real PostgreSQL: the same names, types, labels and values as postgres_exporter; and who may log in, and how.
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, chownSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import {
  createCertificateAuthority,
  parseMetrics,
  request,
  requirePrograms,
  startRawServer,
  tempDir,
  until,
} from "@outrigger/testing";
import { describe, expect, onTestFinished as cleanup, test } from "vitest";

import { startAdapter } from "./adapter.ts";
import { compare } from "./comparison.ts";
import type { Program } from "./programs.ts";
import { freePort, startProgram } from "./programs.ts";

// Debian keeps PostgreSQL's server where no PATH looks.
const [INITDB, POSTGRES, BACKUP] = ["initdb", "postgres", "pg_basebackup"].map(
  (name) => `../lib/postgresql/15/bin/${name}`,
) as [string, string, string];
const programs = requirePrograms("prometheus-postgres-exporter", "psql", "promtool", INITDB, POSTGRES, BACKUP);
const SLOW = { timeout: 120_000 };

/** PostgreSQL refuses to be root. */
const user = process.getuid!() === 0 ? { uid: 65534 } : {};

function own(path: string): void {
  chmodSync(path, 0o700);
  if (user.uid !== undefined) chownSync(path, user.uid, process.getgid!());
}

type Server = Program & { readonly folder: string; psql(sql: string): void };

/** A new server with the superuser postgres, whose password is `secret`. `auth` is how it wants to be told. */
async function startPostgres(auth: string, flags: readonly string[] = []): Promise<Server> {
  const folder = tempDir(cleanup);
  const passwordFile = join(folder, "password");
  writeFileSync(passwordFile, "secret\n");
  for (const path of [folder, passwordFile]) own(path);
  const data = join(folder, "data");
  const init = ["-D", data, "-U", "postgres", `--auth=${auth}`, `--pwfile=${passwordFile}`, "--no-sync", "--locale=C"];
  execFileSync(programs.path(INITDB), init, { ...user, cwd: folder, stdio: "pipe" });
  const port = await freePort();
  const args = [
    "-D",
    data,
    "-p",
    `${port}`,
    "-k",
    folder,
    "-c",
    "listen_addresses=127.0.0.1",
    "-c",
    "fsync=off",
    ...flags,
  ];
  const program = await startProgram(programs.path(POSTGRES), args, { port, cleanup, ...user });
  const psql = (sql: string): void => {
    const address = `postgresql://postgres@127.0.0.1:${port}/postgres`;
    execFileSync(programs.path("psql"), [address, "-c", sql], { env: { PGPASSWORD: "secret" }, stdio: "pipe" });
  };
  return { ...program, folder, psql };
}

const addressOf = ({ port }: { port: number }, who = "postgres:secret"): string =>
  `postgresql://${who}@127.0.0.1:${port}/postgres`;

describe.skipIf(programs.skip)(programs.title("beside postgres_exporter"), () => {
  test("PostgreSQL is shown with the same names, types, labels and values", SLOW, async () => {
    const postgres = await startPostgres("scram-sha-256", ["-c", "autovacuum=off"]);
    postgres.psql("CREATE TABLE t (a int); INSERT INTO t SELECT generate_series(1, 100)");
    const port = await freePort();
    const env = { DATA_SOURCE_NAME: `${addressOf(postgres)}?sslmode=disable` };
    const args = [`--web.listen-address=127.0.0.1:${port}`];
    await startProgram(programs.path("prometheus-postgres-exporter"), args, { port, cleanup, env });
    const scrapeThem = async () => parseMetrics((await request({ host: "127.0.0.1", port }, "/metrics")).body);
    // Its connection has to be there on all pages that are compared.
    await scrapeThem();
    const adapter = await startAdapter(cleanup, { args: ["--postgres"], env });
    const [before, theirs, after] = [await adapter.page(), await scrapeThem(), await adapter.page()];
    const { unexplained, stale } = compare({ before, theirs, after }, { file: "postgres.txt", only: /^pg_/ });
    expect(unexplained).toEqual([]);
    expect(stale).toEqual([]);
    expect(theirs.samples.filter(({ name }) => name.startsWith("pg_")).length).toBeGreaterThan(300);
    expect(after.value("pg_stat_user_tables_n_tup_ins", { relname: "t" })).toBe(100);
    // 3 is for names that promtool would have chosen otherwise, 1 for a page that is none.
    const { status } = spawnSync(programs.path("promtool"), ["check", "metrics"], { input: after.text });
    expect([0, 3]).toContain(status);
  });
});

describe.skipIf(programs.skip)(programs.title("beside a real PostgreSQL"), () => {
  test.each(["scram-sha-256", "md5"])("a password is proved by %s, and a wrong one is told", SLOW, async (auth) => {
    const postgres = await startPostgres(auth, ["-c", `password_encryption=${auth}`]);
    postgres.psql("ALTER USER postgres PASSWORD 'secret'");
    const passwordFile = join(tempDir(cleanup), "password");
    writeFileSync(passwordFile, "secret\n");
    const sources = [
      { type: "postgres", name: "by-file", address: addressOf(postgres, "postgres"), passwordFile },
      { type: "postgres", name: "wrong", address: addressOf(postgres, "postgres:wrong") },
      { type: "postgres", name: "none", address: addressOf(postgres, "postgres") },
    ];
    const adapter = await startAdapter(cleanup, { config: { sources } });
    const page = await adapter.page();
    expect(["by-file", "wrong", "none"].map((source) => page.value("pg_up", { source }))).toEqual([1, 0, 0]);
    const told = adapter.logs().filter(({ msg }) => msg === "source cannot be read");
    expect(told).toContainEqual(expect.objectContaining({ error: expect.stringContaining("28P01") }));
    expect(told).toContainEqual(expect.objectContaining({ error: expect.stringContaining("a server that wants one") }));
    expect(adapter.rawStderr()).not.toContain("secret");
  });

  test("over a Unix socket, a user without rights still gets what all may see", SLOW, async () => {
    const postgres = await startPostgres("scram-sha-256");
    postgres.psql("CREATE ROLE watcher LOGIN PASSWORD 'w'");
    postgres.psql("REVOKE SELECT ON pg_stat_archiver FROM PUBLIC");
    const address = `postgresql://watcher:w@localhost:${postgres.port}/postgres?host=${postgres.folder}`;
    chmodSync(postgres.folder, 0o755);
    const page = await (await startAdapter(cleanup, { config: { sources: [{ type: "postgres", address }] } })).page();
    expect(page.value("pg_up")).toBe(1);
    expect(page.value("pg_scrape_collector_success", { collector: "stat_archiver" })).toBe(0);
    expect(page.value("pg_scrape_collector_success", { collector: "settings" })).toBe(1);
    expect(page.value("pg_settings_shared_buffers_bytes")).toBeGreaterThan(1e6);
  });

  test("a primary and its standby tell of replication", SLOW, async () => {
    const primary = await startPostgres("scram-sha-256");
    const [data, port] = [join(primary.folder, "standby"), await freePort()];
    const from = ["-h", "127.0.0.1", "-p", `${primary.port}`, "-U", "postgres", "--no-sync", "--checkpoint=fast"];
    const slot = ["-D", data, "--write-recovery-conf", "--create-slot", "--slot=standby"];
    const env = { PGPASSWORD: "secret" };
    execFileSync(programs.path(BACKUP), [...from, ...slot], { ...user, env, cwd: primary.folder, stdio: "pipe" });
    const args = ["-D", data, "-p", `${port}`, "-k", primary.folder, "-c", "listen_addresses=127.0.0.1"];
    await startProgram(programs.path(POSTGRES), args, { port, cleanup, ...user });
    const sources = [
      { type: "postgres", name: "primary", address: addressOf(primary) },
      { type: "postgres", name: "standby", address: addressOf({ port }) },
    ];
    const adapter = await startAdapter(cleanup, { config: { sources } });
    const labels = { source: "primary", slot_name: "standby" };
    const page = await until(
      async () => {
        const page = await adapter.page();
        return page.value("pg_stat_replication_pg_wal_lsn_diff", { ...labels, state: "streaming" }) === 0 && page;
      },
      { timeoutMs: 60_000 },
    );
    expect(page.value("pg_replication_slots_active", labels)).toBe(1);
    const replicas = sources.map(({ name }) => page.value("pg_replication_is_replica", { source: name }));
    expect(replicas).toEqual([0, 1]);
    expect(page.samples.filter(({ name, value }) => name === "pg_scrape_collector_success" && value !== 1)).toEqual([]);
  });

  test("TLS is used where it is asked for, with a server that the authority knows, or not at all", SLOW, async () => {
    const [authority, other] = await Promise.all([createCertificateAuthority(), createCertificateAuthority()]);
    const folder = tempDir(cleanup);
    own(folder);
    const [cert, key] = [join(folder, "cert.pem"), join(folder, "key.pem")];
    const issued = await authority.issue({ ips: ["127.0.0.1"], usage: ["server"] });
    writeFileSync(cert, issued.cert);
    writeFileSync(key, issued.key, { mode: 0o600 });
    for (const path of [cert, key]) own(path);
    const flags = ["-c", "ssl=on", "-c", `ssl_cert_file=${cert}`, "-c", `ssl_key_file=${key}`];
    const postgres = await startPostgres("scram-sha-256", flags);
    const plain = await startPostgres("scram-sha-256");
    const [caFile, otherFile] = [join(tempDir(cleanup), "ca.pem"), join(tempDir(cleanup), "ca.pem")];
    writeFileSync(caFile, authority.pem);
    writeFileSync(otherFile, other.pem);
    const sources = [
      { type: "postgres", name: "known", address: addressOf(postgres), tls: { caFile } },
      { type: "postgres", name: "other", address: addressOf(postgres), tls: { caFile: otherFile } },
      { type: "postgres", name: "require", address: `${addressOf(postgres)}?sslmode=require` },
      { type: "postgres", name: "without", address: addressOf(plain), tls: { caFile } },
    ];
    const page = await (await startAdapter(cleanup, { config: { sources } })).page();
    const up = sources.map(({ name }) => page.value("pg_up", { source: name }));
    expect(up).toEqual([1, 0, 1, 0]);
  });

  test("a PostgreSQL that hangs is cut off below the scraper's own time-out", SLOW, async () => {
    const postgres = await startPostgres("scram-sha-256");
    const adapter = await startAdapter(cleanup, { args: ["--postgres", "--postgres-address", addressOf(postgres)] });
    postgres.signal("SIGSTOP");
    cleanup(() => postgres.signal("SIGCONT"));
    const began = performance.now();
    const { body } = await adapter.ask("/metrics", { "X-Prometheus-Scrape-Timeout-Seconds": "1" });
    expect(body).toContain("\npg_up 0\n");
    expect(performance.now() - began).toBeLessThan(1000);
  });
});

describe("what is no PostgreSQL", () => {
  test.each([
    ["speaks HTTP", "HTTP/1.1 400 Bad Request\r\n\r\n"],
    ["logs in without a proof", Buffer.from("R\0\0\0\x08\0\0\0\x0c")],
    ["sends a part of a message", Buffer.from("R\0\0\0\x05\0Z\0\0\0\x05I")],
    ["wants the password as it is", Buffer.from("R\0\0\0\x08\0\0\0\x03")],
  ])("and %s is down", async (_, answer) => {
    const server = await startRawServer((socket) => socket.on("data", () => socket.end(answer)), { cleanup });
    const adapter = await startAdapter(cleanup, { args: ["--postgres", "--postgres-address", addressOf(server)] });
    expect((await adapter.page()).value("pg_up")).toBe(0);
  });

  test("an address that is none is refused without showing its password", async () => {
    const started = startAdapter(cleanup, {
      args: ["--postgres"],
      env: { DATA_SOURCE_NAME: "host=a password=hunter2" },
    });
    const error = (await started.catch((reason: unknown) => reason)) as Error;
    expect(error.message).toContain("expected postgresql://user@host:port/database");
    expect(error.message).not.toContain("hunter2");
  });
});
