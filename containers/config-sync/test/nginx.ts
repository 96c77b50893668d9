// A real nginx whose configuration lies in a folder that config-sync publishes.
import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import type { Cleanup } from "@outrigger/testing";
import { freePort, request, requirePrograms, tempDir, until } from "@outrigger/testing";

export const nginx = requirePrograms("nginx");

export type Nginx = {
  readonly pid: number;
  readonly port: number;
  readonly pidFile: string;
  readonly url: string;
  /** The body of its answer to this path. */
  answer(path: string): Promise<string>;
};

/** Starts it; it serves what `<folder>/*.conf` says inside of its server. */
export async function startNginx(folder: string, cleanup: Cleanup, given?: number): Promise<Nginx> {
  const home = tempDir(cleanup);
  const port = given ?? (await freePort());
  mkdirSync(join(home, "temp"));
  const pidFile = join(home, "nginx.pid");
  const paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((name) => `${name}_temp_path ${home}/temp;`);
  writeFileSync(
    join(home, "nginx.conf"),
    `daemon off; pid ${pidFile}; error_log ${home}/error.log; worker_processes 1; events {}
     http { access_log off; ${paths.join(" ")} server { listen 127.0.0.1:${port}; include ${folder}/*.conf; } }`,
  );
  const child = spawn(nginx.path("nginx"), ["-p", home, "-c", join(home, "nginx.conf")], { stdio: "ignore" });
  const gone = new Promise((resolve) => void child.once("exit", resolve));
  cleanup(async () => {
    child.kill("SIGTERM");
    await gone;
  });
  const answer = async (path: string): Promise<string> => (await request({ host: "127.0.0.1", port }, path)).body;
  await until(() => answer("/").then(() => true), { timeoutMs: 10_000, describe: "nginx to answer" });
  return { pid: child.pid!, port, pidFile, url: `http://127.0.0.1:${port}`, answer };
}
