// A dictionary service as it stands in many a cellar: plain HTTP, an odd log, odd statistics, and never heard of TLS.
// `node main.ts [--host 127.0.0.1] [--port 8000] [--words FILE]`
import { existsSync, readFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { parseArgs } from "node:util";

import { createDictionary } from "./server.ts";
import { parseWords } from "./words.ts";

const OPTIONS = {
  host: { type: "string", default: "127.0.0.1" },
  port: { type: "string", default: "8000" },
  words: { type: "string" },
} as const;

type Flags = { host: string; port: number; words: string | undefined };

function readFlags(): Flags {
  const { host, port, words } = parseArgs({ options: OPTIONS }).values;
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) throw new Error(`--port: expected 0 to 65535, got ${port}`);
  return { host, port: Number(port), words };
}

function run({ host, port, words }: Flags): void {
  const { server, log, configure, stop } = createDictionary((entry) => process.stdout.write(entry));
  /** A file that is wrong changes nothing, as such applications have it. */
  const readWords = (file: string): void => {
    try {
      const found = parseWords(readFileSync(file, "utf8"));
      configure(found);
      log("I", `words ~ ${found.size} of ${file}`);
    } catch (error) {
      log("E", `words ~ ${(error as Error).message}`);
    }
  };
  if (words !== undefined) {
    if (existsSync(words)) readWords(words);
    process.on("SIGHUP", () => readWords(words));
  }
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
