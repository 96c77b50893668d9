// PostgreSQL by its statistics views, on one connection for each scrape, with postgres_exporter's names.
import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import type { ConnectionOptions } from "node:tls";

import { formatAddress } from "@outrigger/options";
import * as z from "@outrigger/options/zod";

import { defined } from "../../defined.ts";
import type { Scrape, Section } from "../../source.ts";
import { defineSource } from "../../source.ts";
import type { Target } from "./address.ts";
import { parsePostgresUrl, POSTGRES_FORM } from "./address.ts";
import type { PostgresConnection, Result } from "./client.ts";
import { connectPostgres } from "./client.ts";
import { PostgresError } from "./messages.ts";
import { addSettings, addTable, SETTINGS_SQL } from "./metrics.ts";
import { TABLES } from "./tables.ts";

const schema = z.strictObject({
  address: z
    .string()
    .default("postgresql://postgres@localhost:5432/postgres")
    .refine((text) => parsePostgresUrl(text) !== undefined, POSTGRES_FORM),
  username: z.string().min(1).optional(),
  /** Read anew for each scrape, so that it may be changed. */
  passwordFile: z.string().optional(),
  /** With it, the connection is encrypted, or there is none. */
  tls: z
    .strictObject({
      caFile: z.string().optional(),
      certFile: z.string().optional(),
      keyFile: z.string().optional(),
      serverName: z.string().optional(),
      unsafeSkipVerify: z.boolean().default(false),
    })
    .optional(),
  /** Collectors that are not asked: `stat_user_tables`. */
  without: z.array(z.enum([...TABLES.map(({ collector }) => collector), "settings"])).default([]),
});
type Settings = z.infer<typeof schema>;

const textOf = (file: string | undefined): string | undefined =>
  file === undefined ? undefined : readFileSync(file, "utf8").replace(/\r?\n$/, "");

function tlsOf({ tls }: Settings, { sslmode, address }: Target): ConnectionOptions | undefined {
  if (tls === undefined && sslmode !== "require" && sslmode !== "verify-full") return undefined;
  const { caFile, certFile, keyFile, serverName, unsafeSkipVerify = sslmode === "require" } = tls ?? {};
  const host = "host" in address ? address.host : undefined;
  // An address is no name of a server.
  const servername = serverName ?? (host !== undefined && isIP(host) === 0 ? host : undefined);
  const files = { ca: textOf(caFile), cert: textOf(certFile), key: textOf(keyFile) };
  return defined({ host, servername, rejectUnauthorized: !unsafeSkipVerify, ...files });
}

function connect(settings: Settings, scrape: Scrape, maxReplyBytes: number): Promise<PostgresConnection> {
  const target = parsePostgresUrl(settings.address)!;
  return connectPostgres({
    address: target.address,
    user: settings.username ?? target.user ?? "postgres",
    password: textOf(settings.passwordFile) ?? target.password,
    database: target.database,
    tls: tlsOf(settings, target),
    timeoutMs: scrape.timeoutMs,
    signal: scrape.signal,
    maxReplyBytes,
  });
}

const VERSION_SQL = "SELECT version(), current_setting('server_version_num')";

/** One question after the other. What a user may not ask, or a version does not know, costs only itself. */
async function collectFrom(
  connection: PostgresConnection,
  section: Section,
  { address, without }: Settings,
): Promise<void> {
  const server = ["server", formatAddress(parsePostgresUrl(address)!.address)];
  const { rows } = await connection.query(VERSION_SQL);
  const [version = "", number = "0"] = rows[0] ?? [];
  addVersion(section, version ?? "", Number(number), server);
  const ask = async (collector: string, asked: () => Promise<Result>, add: (result: Result) => void): Promise<void> => {
    if (without.includes(collector)) return;
    const began = performance.now();
    const success = await asked().then(
      (result) => (add(result), true),
      (error: unknown) => {
        if (!(error instanceof PostgresError)) throw error;
        return false;
      },
    );
    addOutcome(section, collector, success, (performance.now() - began) / 1000);
  };
  for (const table of TABLES) {
    if (Number(number) < (table.since ?? 0)) continue;
    const add = (result: Result): void => addTable(section, table, result, server);
    await ask(table.collector, () => connection.read(table.sql), add);
  }
  // What is set is asked without setting anything.
  const add = (result: Result): void => addSettings(section, result, server);
  await ask("settings", () => connection.query(SETTINGS_SQL), add);
}

function addVersion(section: Section, version: string, number: number, server: readonly string[]): void {
  // Before version 10, the second number was part of the version's name.
  const short = `${Math.floor(number / 10_000)}.${number % 10_000}.0`;
  const labels = ["version", version, "short_version", short, ...server];
  section.point({ name: "pg_static", type: "unknown", help: "Version string as reported by postgres" }, 1, labels);
}

function addOutcome(section: Section, collector: string, success: boolean, seconds: number): void {
  const labels = ["collector", collector];
  const took = "How long a collector took.";
  section.point({ name: "pg_scrape_collector_duration_seconds", type: "gauge", help: took }, seconds, labels);
  const help = "Whether a collector succeeded.";
  section.point({ name: "pg_scrape_collector_success", type: "gauge", help }, success ? 1 : 0, labels);
}

export const postgres = defineSource<Settings>({
  type: "postgres",
  prefix: "pg",
  schema,
  create: (settings, { maxBodySize }) => ({
    collect: async (section, scrape) => {
      const connection = await connect(settings, scrape, maxBodySize);
      await collectFrom(connection, section, settings).finally(connection.close);
    },
  }),
});
