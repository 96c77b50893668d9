// The applications of the example pods, as images under the names that the examples give them: Debian's programs on the
// same kind of base as ours, because there is no registry to pull the real ones from.
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import type { BaseSettings } from "../../scripts/images/bases.ts";
import { buildRootfs } from "../../scripts/images/bases.ts";
import { addPath, addProgram, writeSkeleton } from "../../scripts/images/rootfs.ts";

/** BusyBox with the names of its commands that the examples use. */
function busybox(folder: string): void {
  writeSkeleton(folder);
  addProgram(folder, "/usr/bin/busybox", "bin/busybox");
  for (const name of ["sh", "httpd", "sleep", "cat", "echo", "kill", "ps", "wget"]) {
    symlinkSync("/bin/busybox", join(folder, "bin", name));
  }
  mkdirSync(join(folder, "srv"));
}

/** As nginxinc/nginx-unprivileged: it listens on 8080, writes below /tmp only, and any user may run it. */
function nginx(folder: string): void {
  writeSkeleton(folder);
  addProgram(folder, "/usr/sbin/nginx", "usr/sbin/nginx");
  addPath(folder, "/etc/nginx/mime.types");
  mkdirSync(join(folder, "etc/nginx/conf.d"), { recursive: true });
  for (const path of ["var/log/nginx", "var/lib/nginx", "usr/share/nginx/html"])
    mkdirSync(join(folder, path), { recursive: true });
  symlinkSync("/dev/stdout", join(folder, "var/log/nginx/access.log"));
  symlinkSync("/dev/stderr", join(folder, "var/log/nginx/error.log"));
  writeFileSync(join(folder, "usr/share/nginx/html/index.html"), "welcome\n");
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (kind) => `${kind}_temp_path /tmp/${kind};`,
  );
  writeFileSync(
    join(folder, "etc/nginx/nginx.conf"),
    `worker_processes 1;
pid /tmp/nginx.pid;
error_log /var/log/nginx/error.log notice;
events { worker_connections 256; }
http {
  include mime.types;
  ${temporary.join(" ")}
  log_format main '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"';
  access_log /var/log/nginx/access.log main;
  include conf.d/*.conf;
}
`,
  );
  writeFileSync(
    join(folder, "etc/nginx/conf.d/default.conf"),
    "server { listen 8080; location / { root /usr/share/nginx/html; } }\n",
  );
}

function redis(folder: string): void {
  writeSkeleton(folder);
  addProgram(folder, "/usr/bin/redis-server", "usr/local/bin/redis-server");
  addProgram(folder, "/usr/bin/redis-cli", "usr/local/bin/redis-cli");
  mkdirSync(join(folder, "data"), { recursive: true });
}

/** Builds them all. */
export async function buildApplications(settings: BaseSettings): Promise<void> {
  const build = (tag: string, write: (folder: string) => void, ...lines: string[]): Promise<void> =>
    buildRootfs(tag, settings, {
      from: "scratch",
      write,
      lines: ["ENV PATH=/usr/local/bin:/usr/sbin:/usr/bin:/bin", ...lines],
    });
  await build("docker.io/library/busybox:1.37", busybox, 'CMD ["sh"]');
  await build(
    "docker.io/nginxinc/nginx-unprivileged:1.28",
    nginx,
    "STOPSIGNAL SIGQUIT",
    "USER 101",
    'CMD ["nginx", "-g", "daemon off;"]',
  );
  await build("docker.io/library/redis:7", redis, "WORKDIR /data", 'CMD ["redis-server", "--protected-mode", "no"]');
}
