// Runs a command with the project's own tools, installing them first if the lock file has changed since the last time.
// Plain JavaScript without dependencies: it is the one script that runs on whatever Node (>= 20) the machine has.
import { spawnSync } from "node:child_process";
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

function run(command, args, stdio) {
  const env = { ...process.env, PATH: bin + delimiter + process.env.PATH, TURBO_TELEMETRY_DISABLED: "1" };
  const done = spawnSync(command, args, { cwd: root, stdio, env });
  if (done.error) throw done.error;
  return done.status ?? 1;
}

if (!existsSync(stamp) || readFileSync(stamp, "utf8") !== lock) {
  process.stderr.write("installing the project's tools (npm install) ...\n");
  // What npm prints goes to stderr: stdout belongs to the command that was asked for.
  const status = run("npm", ["install", "--no-save", "--loglevel=error"], ["ignore", 2, 2]);
  if (status !== 0) process.exit(status);
  writeFileSync(stamp, lock);
}

// Ctrl-C reaches the whole process group; the command decides when to end, and we end with it.
process.on("SIGINT", () => {});
process.on("SIGTERM", () => {});
const [command, ...args] = process.argv.slice(2);
process.exit(run(command, args, "inherit"));
