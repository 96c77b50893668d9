import { expect, test } from "vitest";

import { translate } from "./other-programs.ts";

const kube = (env: Record<string, string>): readonly string[] =>
  translate({ argv: [], env: { LABEL: "dashboard", FOLDER: "/tmp/dashboards", ...env } }).argv;

test("our own words stay as they are", () => {
  const words = { argv: ["--source", "dir:/a"], env: { LABEL: "x", FOLDER: "/y" } };
  expect(translate(words)).toBe(words);
  const bare = { argv: [], env: { LABEL: "x" } };
  expect(translate(bare)).toBe(bare);
});

test("the variables of a chart that uses k8s-sidecar", () => {
  const argv = kube({
    LABEL_VALUE: "1",
    NAMESPACE: "ALL",
    RESOURCE: "both",
    REQ_URL: "http://localhost:3000/reload",
    REQ_METHOD: "POST",
    REQ_SKIP_INIT: "true",
    UNIQUE_FILENAMES: "true",
    LOG_LEVEL: "WARNING",
    METHOD: "WATCH",
  });
  const settings = "label=dashboard%3D1&folder-annotation=k8s-sidecar-target-directory&unique=true&namespace=*";
  expect(argv).toEqual([
    "--layout=flat",
    "--unsafe-allow-empty",
    "--notify-method=POST",
    `--source=kube:configmap?${settings}`,
    `--source=kube:secret?${settings}`,
    "--output=/tmp/dashboards",
    "--notify=http://localhost:3000/reload",
    "--skip-first-notify",
    "--log-level=warn",
    "--admin-listen=0.0.0.0:8080",
  ]);
});

test("its other methods, names and namespaces", () => {
  expect(kube({ METHOD: "LIST" })).toContain("--once");
  expect(kube({ METHOD: "SLEEP" })).toContain("--interval=60");
  const named = kube({ RESOURCE_NAME: "a,b", NAMESPACE: "one,two", RESOURCE: "secret" });
  expect(
    named.filter((word) => word.startsWith("--source")).map((word) => word.replace(/&?folder-annotation=[^&]*&?/, "")),
  ).toEqual([
    "--source=kube:secret/a?namespace=one",
    "--source=kube:secret/b?namespace=one",
    "--source=kube:secret/a?namespace=two",
    "--source=kube:secret/b?namespace=two",
  ]);
});

test("what k8s-sidecar would do less safely becomes a flag that nobody knows, and so is refused", () => {
  expect(kube({ REQ_PASSWORD: "x", SKIP_TLS_VERIFY: "false" })).toContain("--req-password");
  expect(kube({ SKIP_TLS_VERIFY: "false" })).not.toContain("--skip-tls-verify");
});

test("git-sync by flags and by variables, of which the flags win", () => {
  const { argv } = translate({
    argv: [
      "--repo=https://host/team/conf.git",
      "--root",
      "/git",
      "-period",
      "30s",
      "--one-time",
      "--webhook-url=http://localhost/",
    ],
    env: { GITSYNC_REF: "v1", GITSYNC_PERIOD: "5s", GITSYNC_HTTP_BIND: ":1234", GITSYNC_PASSWORD_FILE: "/etc/token" },
  });
  expect([...argv].sort()).toEqual([
    "--admin-listen=0.0.0.0:1234",
    "--interval=30s",
    "--notify=http://localhost/",
    "--once",
    "--output=/git/conf",
    "--source=git+https://host/team/conf.git?ref=v1&token=%2Fetc%2Ftoken",
  ]);
});

test("a flag of git-sync that has no meaning here is passed on, to be refused by its name", () => {
  const { argv } = translate({ argv: ["--repo=https://host/r", "--submodules=off"], env: {} });
  expect(argv).toContain("--submodules=off");
  expect(argv).toContain("--interval=10s");
});
