// A dictionary service as it stands in many a cellar: plain HTTP, an odd log, odd statistics, and never heard of TLS.
// `node main.ts [--host 127.0.0.1] [--port 8000]`
import type { AddressInfo } from "node:net";
import { parseArgs } from "node:util";

import { createDictionary } from "./server.ts";

const OPTIONS = { host: { type: "string", default: "127.0.0.1" }, port: { type: "string", default: "8000" } } as const;

function readFlags(): { host: string; port: number } {
  const { host, port } = parseArgs({ options: OPTIONS }).values;
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) throw new Error(`--port: expected 0 to 65535, got ${port}`);
  return { host, port: Number(port) };
}

function run({ host, port }: { host: string; port: number }): void {
  const { server, log, stop } = createDictionary((entry) => process.stdout.write(entry));
  server.once("error", (error) => {
    log("E", `boot ~ ${error.message}`);
    process.exitCode = 1;
  });
  server.listen(port, host, () => {
    const bound = server.address() as AddressInfo;
    const name = bound.family === "IPv6" ? `[${bound.address}]` : bound.address;
    log("I", `boot ~ listening on http://${name}:${bound.port}/`);
  });
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.once(signal, () => {
      log("I", `halt ~ ${signal}`);
      stop();
    });
  }
}

try {
  run(readFlags());
} catch (error) {
  console.error(`dictionary: ${(error as Error).message}`);
  process.exitCode = 2;
}
