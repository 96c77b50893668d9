// Runs a command with the project's own tools, installing them first if the lock file has changed since the last time.
// Plain JavaScript without dependencies: it is the one script that runs on whatever Node (>= 20) the machine has.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const bin = join(root, "node_modules", ".bin");
const stamp = join(root, "node_modules", ".installed-from-lock");
const lock = createHash("sha256")
  .update(readFileSync(join(root, "package-lock.json")))
  .digest("hex");

/** Runs a command to its end; gives its exit status. Ctrl-C reaches it by itself, so it is not told twice. */
function run(command, args, stdio) {
  const env = { ...process.env, PATH: bin + delimiter + process.env.PATH, TURBO_TELEMETRY_DISABLED: "1" };
  const child = spawn(command, args, { cwd: root, stdio, env });
  const terminate = () => child.kill("SIGTERM");
  const interrupt = () => {};
  process.on("SIGTERM", terminate).on("SIGINT", interrupt);
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (status) => resolve(status ?? 1));
  }).finally(() => process.off("SIGTERM", terminate).off("SIGINT", interrupt));
}

if (!existsSync(stamp) || readFileSync(stamp, "utf8") !== lock) {
  process.stderr.write("installing the project's tools (npm install) ...\n");
  // What npm prints goes to stderr: stdout belongs to the command that was asked for. `npm ci` refuses a lock file that
  // lacks optional packages of other platforms, which npm leaves out when it cannot reach them; this follows the lock
  // all the same, and does not change it.
  const status = await run("npm", ["install", "--no-save", "--loglevel=error"], ["ignore", 2, 2]);
  if (status !== 0) process.exit(status);
  writeFileSync(stamp, lock);
}

const [command, ...args] = process.argv.slice(2);
process.exit(await run(command, args, "inherit"));
