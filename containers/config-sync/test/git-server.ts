// A repository, and the real servers of git for it: git daemon, git http-backend behind HTTP, and sshd.
import { execFileSync, spawn } from "node:child_process";
import { copyFileSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { userInfo } from "node:os";
import { dirname, join } from "node:path";

import { host } from "@outrigger/runtime";
import type { Cleanup } from "@outrigger/testing";
import { freePort, requirePrograms, startApp, tempDir, until } from "@outrigger/testing";

export const git = requirePrograms("git");

export type Repository = {
  /** The folder that holds it, as `repo.git`. */
  readonly root: string;
  /** Commits these files and pushes; a text that begins with `->` is a link. Resolves with the commit. */
  commit(files: Readonly<Record<string, string>>, branch?: string): string;
  run(...args: string[]): string;
};

export function createRepository(cleanup: Cleanup): Repository {
  const root = tempDir(cleanup);
  const work = tempDir(cleanup);
  const env = {
    PATH: host.environment["PATH"],
    HOME: work,
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_AUTHOR_NAME: "a",
    GIT_AUTHOR_EMAIL: "a@b",
    GIT_COMMITTER_NAME: "a",
    GIT_COMMITTER_EMAIL: "a@b",
  };
  const run = (...args: string[]): string =>
    execFileSync(git.path("git"), args, { cwd: work, env, stdio: "pipe" }).toString().trim();
  run("init", "--quiet", "--bare", "-b", "main", join(root, "repo.git"));
  run("init", "--quiet", "-b", "main");
  run("remote", "add", "origin", join(root, "repo.git"));
  return {
    root,
    run,
    commit: (files, branch = "main") => {
      run("checkout", "--quiet", "-B", branch);
      for (const [path, text] of Object.entries(files)) {
        mkdirSync(dirname(join(work, path)), { recursive: true });
        if (text.startsWith("->")) symlinkSync(text.slice(2), join(work, path));
        else writeFileSync(join(work, path), text);
      }
      run("add", "-A");
      run("commit", "--quiet", "--allow-empty", "-m", "change");
      run("push", "--quiet", "--force", "origin", branch);
      return run("rev-parse", "HEAD");
    },
  };
}

function answers(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect(port, "127.0.0.1", () => resolve(true)).once("error", () => resolve(false));
  return promise.finally(() => socket.destroy());
}

/** Starts git daemon; resolves with the URL of the repository. */
export async function startGitDaemon({ root }: Repository, cleanup: Cleanup): Promise<string> {
  const port = await freePort();
  const args = [
    "daemon",
    "--reuseaddr",
    "--export-all",
    "--listen=127.0.0.1",
    `--port=${port}`,
    `--base-path=${root}`,
    root,
  ];
  const child = spawn(git.path("git"), args, { stdio: "ignore", detached: true });
  cleanup(() => void host.signal(-child.pid!, "SIGKILL"));
  await until(() => answers(port));
  return `git://127.0.0.1:${port}/repo.git`;
}

/** Serves it by git http-backend to whoever knows the password; `isDown` can be set. */
export async function startGitHttp({ root }: Repository, password: string, cleanup: Cleanup) {
  const state = { isDown: false, authorizations: [] as string[] };
  const expected = `Basic ${Buffer.from(`git:${password}`).toString("base64")}`;
  const app = await startApp(
    async (request, response) => {
      const { authorization = "" } = request.headers;
      state.authorizations.push(authorization);
      if (state.isDown) return void response.writeHead(503).end();
      if (authorization !== expected) return void response.writeHead(401, { "www-authenticate": "Basic" }).end();
      const [path = "", query = ""] = request.url!.split("?");
      const child = spawn(git.path("git"), ["http-backend"], {
        env: {
          PATH: host.environment["PATH"],
          GIT_PROJECT_ROOT: root,
          GIT_HTTP_EXPORT_ALL: "1",
          PATH_INFO: path,
          QUERY_STRING: query,
          REQUEST_METHOD: request.method,
          CONTENT_TYPE: request.headers["content-type"] ?? "",
          HTTP_CONTENT_ENCODING: request.headers["content-encoding"] ?? "",
          GIT_PROTOCOL: String(request.headers["git-protocol"] ?? ""),
        },
      });
      request.pipe(child.stdin);
      const chunks: Buffer[] = [];
      for await (const chunk of child.stdout) chunks.push(chunk as Buffer);
      const output = Buffer.concat(chunks);
      const end = output.indexOf("\r\n\r\n");
      const headers = output
        .toString("latin1", 0, end)
        .split("\r\n")
        .map((line) => line.split(": ") as [string, string]);
      const status = headers.find(([name]) => name === "Status")?.[1] ?? "200";
      response.writeHead(Number.parseInt(status, 10), headers.filter(([name]) => name !== "Status").flat());
      response.end(output.subarray(end + 4));
    },
    { cleanup },
  );
  return { ...state, state, url: `http://${app.address}/repo.git` };
}

export const ssh = requirePrograms("git", "ssh", "ssh-keygen", "sshd");

/** Serves it by an sshd of our own, as this user, to whoever has the key; the files are those that a client needs. */
export async function startSshd({ root }: Repository, cleanup: Cleanup) {
  const folder = tempDir(cleanup);
  const port = await freePort();
  const keyPair = (name: string): string => {
    const path = join(folder, name);
    execFileSync(ssh.path("ssh-keygen"), ["-q", "-t", "ed25519", "-N", "", "-C", "", "-f", path]);
    return path;
  };
  const [hostKey, key, otherKey] = [keyPair("host"), keyPair("client"), keyPair("other")];
  const authorized = join(folder, "authorized");
  copyFileSync(`${key}.pub`, authorized);
  const config = join(folder, "sshd_config");
  writeFileSync(config, sshdConfig({ port, hostKey, authorized }));
  // Where root's sshd locks its helper in; at boot Debian makes it.
  if (host.userId === 0) mkdirSync("/run/sshd", { recursive: true, mode: 0o755 });
  const child = spawn(ssh.path("sshd"), ["-D", "-e", "-f", config], { stdio: "ignore", detached: true });
  cleanup(() => void host.signal(-child.pid!, "SIGKILL"));
  await until(() => answers(port));
  const knownHosts = (name: string, hostOf: string): string => {
    const path = join(folder, name);
    writeFileSync(path, `[127.0.0.1]:${port} ${readFileSync(`${hostOf}.pub`, "utf8")}`);
    return path;
  };
  return {
    url: `ssh://${userInfo().username}@127.0.0.1:${port}${root}/repo.git`,
    key,
    otherKey,
    hosts: knownHosts("known", hostKey),
    wrongHosts: knownHosts("wrong", otherKey),
  };
}

const sshdConfig = (given: { port: number; hostKey: string; authorized: string }): string => `
ListenAddress 127.0.0.1:${given.port}
HostKey ${given.hostKey}
AuthorizedKeysFile ${given.authorized}
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
AllowTcpForwarding no
`;
