// C1 to C4 of the container contract: parameters.
import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { prefixOf } from "@outrigger/options";
import { runContainer, tempDir } from "@outrigger/testing";
import { describe, expect, onTestFinished as cleanup, test } from "vitest";

import { allSettings, asFile, asFlags, asVariables, settingsOf, spelling, start, subjects } from "./subject.ts";
import type { Subject } from "./subject.ts";

const originsIn = (printed: string): Map<string, string> =>
  new Map(
    [...printed.matchAll(/^(\w+):.*# (flag|variable|default|\S+: )/gm)].map((line) => [line[1]!, line[2]!.trim()]),
  );

describe.each(subjects)("$name", (subject: Subject) => {
  const run = (args: readonly string[], env: Record<string, string> = {}) =>
    runContainer({ name: subject.name, args, env, cleanup });
  const prefix = prefixOf(subject.name);

  test("C1 every option can be set by flag, by variable, in the file and in the inline file", async () => {
    const { args } = await subject.fixture(cleanup);
    const settings = allSettings(subject, args);
    const text = asFile(subject, settings);
    const file = join(tempDir(cleanup), "config.yaml");
    writeFileSync(file, text);
    const ways = {
      flag: await run([...asFlags(subject, settings), "--print-config"]),
      variable: await run(["--print-config"], asVariables(subject, settings)),
      [`${file}:`]: await run(["--config", file, "--print-config"]),
      [`${prefix}_CONFIG_INLINE:`]: await run(["--print-config"], { [`${prefix}_CONFIG_INLINE`]: text }),
    };
    for (const [origin, { code, stdout, stderr }] of Object.entries(ways)) {
      expect(stderr).toBe("");
      expect(code).toBe(0);
      const origins = originsIn(stdout);
      for (const property of settings.keys()) {
        expect.soft(origins.get(spelling(subject, property).property), `${property} by ${origin}`).toBe(origin);
      }
    }
  });

  test("C1 a flag wins over a variable, a variable over the file, the file over the default", async () => {
    const { args } = await subject.fixture(cleanup);
    const given = settingsOf(subject, args);
    const env = { ...asVariables(subject, given), [`${prefix}_CONFIG_INLINE`]: '{"logLevel":"error"}' };
    const level = async (flags: string[], more: Record<string, string> = {}): Promise<string> => {
      const { stdout } = await run([...flags, "--print-config"], { ...env, ...more });
      return /^logLevel: (\w+)/m.exec(stdout)![1]!;
    };
    expect(await level(["--log-level", "debug"], { [`${prefix}_LOG_LEVEL`]: "warn" })).toBe("debug");
    expect(await level([], { [`${prefix}_LOG_LEVEL`]: "warn" })).toBe("warn");
    expect(await level([])).toBe("error");
    expect(await level([], { [`${prefix}_CONFIG_INLINE`]: "{}" })).toBe("info");
  });

  test("C2 --help names every flag and variable, and --version the version", async () => {
    const help = await run(["--help"]);
    expect(help.code).toBe(0);
    for (const [property, { kind }] of Object.entries(subject.table)) {
      if (kind.fileOnly === true) continue;
      expect.soft(help.stdout).toContain(`  ${spelling(subject, property).flag}`);
      expect.soft(help.stdout).toContain(spelling(subject, property).variable);
    }
    expect(await run(["--version"])).toMatchObject({
      code: 0,
      stdout: `${subject.name} ${subject.container.version}\n`,
    });
  });

  test("C2 what --print-config shows is a file that gives the same values, and --check-config only checks", async () => {
    const { args } = await subject.fixture(cleanup);
    const first = await run([...args, "--print-config"]);
    const file = join(tempDir(cleanup), "config.yaml");
    writeFileSync(file, first.stdout);
    const second = await run(["--config", file, "--print-config"]);
    const valuesOf = (printed: string): string[] => printed.split("\n").map((line) => line.replace(/ # .*/, ""));
    expect(valuesOf(second.stdout)).toEqual(expect.arrayContaining(valuesOf(first.stdout)));
    const checked = await run([...args, "--check-config"]);
    expect(checked).toMatchObject({ code: 0, stdout: "the configuration is usable\n", stderr: "" });
  });

  test("C3 all mistakes are told at once, with the nearest valid name, and nothing is started", async () => {
    const env = {
      [`${prefix}_LOG_LEVLE`]: "info",
      [`${prefix}_SHUTDOWN_TIMEOUT`]: "soon",
      [`${prefix}_CONFIG_INLINE`]: "drainDelai: 1s",
    };
    const { code, stdout, stderr } = await run(
      ["--log-levle", "info", "--drain-delay", "-1", "--admin-listen", "no port"],
      env,
    );
    expect(code).toBe(2);
    expect(stdout).toBe("");
    const duration = "expected a duration such as 500ms, 10s, 5m or 1h (a bare number is seconds)";
    for (const problem of [
      "--log-levle: expected a known flag (did you mean --log-level?)",
      `${prefix}_LOG_LEVLE: expected a known variable (did you mean ${prefix}_LOG_LEVEL?)`,
      `${prefix}_CONFIG_INLINE: drainDelai: expected a known key (did you mean drainDelay?)`,
      `--drain-delay: ${duration}, got -1`,
      `${prefix}_SHUTDOWN_TIMEOUT: ${duration}, got soon`,
      "--admin-listen: expected host:port, [ipv6]:port or unix:/path, got no port",
    ]) {
      expect.soft(stderr).toContain(`${subject.name}: ${problem}\n`);
    }
    expect(stderr).not.toContain('"msg"');
  });

  test("C3 variables that Kubernetes injects for a Service of the same name are ignored", async () => {
    const { args } = await subject.fixture(cleanup);
    const env = {
      [`${prefix}_SERVICE_HOST`]: "10.96.0.1",
      [`${prefix}_SERVICE_PORT`]: "8443",
      [`${prefix}_SERVICE_PORT_HTTPS`]: "8443",
      [`${prefix}_PORT`]: "tcp://10.96.0.1:8443",
      [`${prefix}_PORT_8443_TCP`]: "tcp://10.96.0.1:8443",
      [`${prefix}_PORT_8443_TCP_PROTO`]: "tcp",
      [`${prefix}_PORT_8443_TCP_PORT`]: "8443",
      [`${prefix}_PORT_8443_TCP_ADDR`]: "10.96.0.1",
      [`${prefix}_PORT_53_UDP_ADDR`]: "10.96.0.1",
    };
    expect(await run([...args, "--check-config"], env)).toMatchObject({ code: 0, stderr: "" });
  });

  test("C4 a bare duration is seconds, for ever", async () => {
    const { args } = await subject.fixture(cleanup);
    const { stdout } = await run([...args, "--drain-delay", "10", "--shutdown-timeout", "1500ms", "--print-config"]);
    expect(stdout).toContain("drainDelay: 10s #");
    expect(stdout).toContain("shutdownTimeout: 1500ms #");
  });

  test("C4 a secret is read from its file and shows nowhere", async () => {
    const secret = "the-token-that-nobody-may-see";
    const file = join(tempDir(cleanup), "token");
    writeFileSync(file, `${secret}\n`);
    const { args } = await subject.fixture(cleanup);
    const printed = await run([...args, "--admin-token-file", file, "--print-config"]);
    expect(printed.code).toBe(0);
    expect(printed.stdout + printed.stderr).not.toContain(secret);
    const wrong = await run([...args, "--admin-token-file", secret]);
    expect(wrong.code).toBe(2);
    const container = await start(subject, cleanup, ["--admin-token-file", file, "--log-level", "debug"]);
    const authorization = `Bearer ${secret}`;
    expect((await container.admin("/api/v1/reload", { method: "POST" })).status).toBe(401);
    expect((await container.admin("/api/v1/reload", { method: "POST", headers: { authorization } })).status).toBe(200);
    const shown = await Promise.all(
      ["/metrics", "/api/v1/status", "/openapi.json", "/version"].map((path) => container.admin(path)),
    );
    await container.stop();
    expect(shown.map(({ body }) => body).join("") + container.rawStderr() + container.stdout()).not.toContain(secret);
  });
});
