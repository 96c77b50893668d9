// Starts and stops a container twice in this process, then ends by having nothing left to do. Prints what was left.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

import { resolveOptions } from "@outrigger/options";
import { startContainer, tableOf } from "@outrigger/runtime";
import type { AnyContainer } from "@outrigger/runtime";

const [file, ...args] = process.argv.slice(2);
const { container } = (await import(pathToFileURL(file!).href)) as { container: AnyContainer };
let uncaught = 0;
process.on("uncaughtExceptionMonitor", () => uncaught++);
const before = { SIGTERM: process.listenerCount("SIGTERM"), SIGHUP: process.listenerCount("SIGHUP") };

for (let i = 0; i < 2; i++) {
  const argv = ["--admin-listen", "127.0.0.1:0", "--drain-delay", "0", ...args];
  const { values, problems } = resolveOptions(container.name, tableOf(container), {
    argv,
    env: {},
    readFile: (path) => readFileSync(path, "utf8"),
  });
  if (problems.length > 0) throw new Error(problems.join("\n"));
  const started = await startContainer(container, values as never, {});
  await started.stop();
}
// Handles of closed sockets and files are gone a turn later.
await new Promise((resolve) => void setImmediate(resolve));
await new Promise((resolve) => void setImmediate(resolve));
const own = new Set(["PipeWrap", "TTYWrap", "Immediate", "FSReqPromise"]);
const left = process.getActiveResourcesInfo().filter((resource) => !own.has(resource));
const listeners = Object.entries(before).reduce((sum, [name, count]) => sum + process.listenerCount(name) - count, 0);
process.stdout.write(JSON.stringify({ left, uncaught, listeners }));
