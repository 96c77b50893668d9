// Starts the demonstration twice and stops it; then prints what is left of it, which ends the process if it is nothing.
import { setImmediate as turn } from "node:timers/promises";

import { startDemo } from "./started.ts";

const SIGNALS = ["SIGTERM", "SIGINT", "SIGHUP", "uncaughtException", "exit"] as const;
const listeners = (): number => SIGNALS.reduce((sum, name) => sum + process.listenerCount(name), 0);

const before = { handles: process.getActiveResourcesInfo(), listeners: listeners() };
for (let i = 0; i < 2; i++) {
  const { ask, stop } = await startDemo();
  await ask("/readyz");
  await stop();
}
// Closed sockets are gone a turn later.
await turn();
await turn();
const left = process.getActiveResourcesInfo();
for (const handle of before.handles) left.splice(left.indexOf(handle), left.includes(handle) ? 1 : 0);
process.stdout.write(
  JSON.stringify({ left: left.filter((name) => name !== "Immediate"), listeners: listeners() - before.listeners }),
);
