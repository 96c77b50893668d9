// A real Prometheus scrapes the adapter, in the format of its choice, and answers queries about it.
import { createSocket } from "node:dgram";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { parseAddress } from "@outrigger/options";
import { request, requirePrograms, startApp, tempDir, until } from "@outrigger/testing";
import { describe, expect, onTestFinished as cleanup, test } from "vitest";

import { startAdapter } from "./adapter.ts";
import type { Program } from "./programs.ts";
import { freePort, startProgram, startRedis } from "./programs.ts";

const programs = requirePrograms("prometheus", "redis-server");

async function startPrometheus(target: string, flags: readonly string[] = []): Promise<Program> {
  const [folder, port] = [tempDir(cleanup), await freePort()];
  const scrape = {
    job_name: "adapter",
    scrape_interval: "1s",
    scrape_timeout: "1s",
    static_configs: [{ targets: [target] }],
  };
  writeFileSync(join(folder, "prometheus.yml"), JSON.stringify({ scrape_configs: [scrape] }));
  const args = [
    `--config.file=${folder}/prometheus.yml`,
    `--storage.tsdb.path=${folder}/data`,
    `--web.listen-address=127.0.0.1:${port}`,
  ];
  return startProgram(programs.path("prometheus"), [...args, ...flags], { port, cleanup });
}

type Result = { readonly metric: Record<string, string>; readonly value: readonly [number, string] };

/** The result of a query, once there is one. */
const ask = ({ port }: Program, query: string): Promise<Result[]> =>
  until(
    async () => {
      const answer = await request({ host: "127.0.0.1", port }, `/api/v1/query?query=${encodeURIComponent(query)}`);
      const { data } = answer.json() as { data: { result: Result[] } };
      return data.result.length > 0 && data.result;
    },
    { timeoutMs: 20_000, describe: `a result of ${query}` },
  );

describe.skipIf(programs.skip)(programs.title("a real Prometheus"), () => {
  test("scrapes two unlike applications through the adapter, and sees one that goes down", async () => {
    const redis = await startRedis(cleanup);
    const app = await startApp((_, response) => response.end('{"Lookups": {"Hit": 7}}'), {
      cleanup,
    });
    const metrics = [{ name: "lookups_total", path: "{.Lookups}", key_label: "result", valuetype: "counter" }];
    const config = {
      sources: [
        { type: "redis", address: `redis://127.0.0.1:${redis.port}` },
        { type: "json", url: `http://${app.address}/`, metrics },
      ],
    };
    const adapter = await startAdapter(cleanup, { config });
    const prometheus = await startPrometheus(await adapter.address("metrics"));
    expect((await ask(prometheus, "up"))[0]!.value[1]).toBe("1");
    expect((await ask(prometheus, 'lookups_total{result="Hit"}'))[0]!.value[1]).toBe("7");
    expect(Number((await ask(prometheus, "redis_memory_used_bytes"))[0]!.value[1])).toBeGreaterThan(100_000);
    expect(await ask(prometheus, '{__name__=~"(redis|json)_up"} == 1')).toHaveLength(2);
    await redis.kill();
    expect(await ask(prometheus, "redis_up == 0")).toHaveLength(1);
    expect(await ask(prometheus, "up == 1")).toHaveLength(1);
  });

  test("takes native histograms of what was pushed", async () => {
    const mapping = join(tempDir(cleanup), "mapping.yml");
    writeFileSync(
      mapping,
      "defaults: {observer_type: histogram, histogram_options: {native_histogram_bucket_factor: 1.1}}\n",
    );
    const source = { type: "statsd", listenUdp: "127.0.0.1:0", listenTcp: "", mappingFile: mapping };
    const adapter = await startAdapter(cleanup, { config: { sources: [source] } });
    const address = parseAddress(await adapter.address("statsd-udp"), "127.0.0.1") as { port: number };
    const socket = createSocket("udp4");
    for (const value of [100, 100, 200, 400]) socket.send(`wait:${value}|ms`, address.port, "127.0.0.1");
    cleanup(() => void socket.close());
    await until(async () => (await adapter.page()).value("wait_count") === 4);
    const prometheus = await startPrometheus(await adapter.address("metrics"), ["--enable-feature=native-histograms"]);
    expect((await ask(prometheus, "histogram_count(wait)"))[0]!.value[1]).toBe("4");
    const median = Number((await ask(prometheus, "histogram_quantile(0.5, wait)"))[0]!.value[1]);
    expect(median).toBeGreaterThan(0.09);
    expect(median).toBeLessThan(0.11);
  });
});
