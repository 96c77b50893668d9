import { writeFileSync } from "node:fs";
// What applications push as Graphite's plain text.
import { connect } from "node:net";
import { join } from "node:path";

import { parseAddress } from "@outrigger/options";
import { tempDir, until } from "@outrigger/testing";
import { expect, onTestFinished as cleanup, test } from "vitest";

import { startAdapter } from "./adapter.ts";

test("lines are mapped by graphite_exporter's rules, and let go when they come no more", async () => {
  const mappingFile = join(tempDir(cleanup), "mapping.yml");
  writeFileSync(
    mappingFile,
    "mappings:\n- match: servers.*.cpu.*\n  name: cpu_$2\n  labels: {host: $1}\n- match: secret.*\n  name: x\n  action: drop\n",
  );
  const source = { type: "graphite", listenUdp: "", listenTcp: "127.0.0.1:0", mappingFile, sampleExpirySeconds: 1 };
  const adapter = await startAdapter(cleanup, { config: { sources: [source] } });
  const { port } = parseAddress(await adapter.address("graphite-tcp"), "127.0.0.1") as { port: number };
  connect(port, "127.0.0.1").end(
    "servers.web.cpu.idle 0.5 1700000000\nother.one;dc=eu 7 1700000000\nsecret.a 1 1\nnonsense\n",
  );
  const page = await until(async () => {
    const page = await adapter.page();
    return page.value("graphite_samples_total") === 4 && page;
  });
  expect([page.value("cpu_idle", { host: "web" }), page.value("other_one", { dc: "eu" })]).toEqual([0.5, 7]);
  expect([page.value("graphite_malformed_lines_total"), page.value("graphite_unmapped_samples_total")]).toEqual([1, 1]);
  expect(page.value("x")).toBeUndefined();
  await until(async () => (await adapter.page()).value("cpu_idle") === undefined);
});
