import { expect, test } from "vitest";

import { translate } from "./other-programs.ts";

const flags = (...argv: string[]): readonly string[] => translate({ argv, env: {} }).argv;
const ALWAYS = ["--notify-backoff=10s", "--skip-first-notify", "--unsafe-allow-empty"];

test("the flags that charts of Prometheus have always set", () => {
  expect(flags("--volume-dir=/etc/config", "--webhook-url=http://127.0.0.1:9090/-/reload")).toEqual([
    ...ALWAYS,
    "--notify-status=200",
    "--notify-retries=0",
    "--admin-listen=0.0.0.0:9533",
    "--source=dir:/etc/config",
    "--notify=http://127.0.0.1:9090/-/reload",
  ]);
});

test("all of the flags, with one hyphen and with their text behind a space", () => {
  const theirs = "-volume-dir /a -volume-dir /b -webhook-url http://h/ -webhook-method put -webhook-status-code 204";
  const more = "-webhook-retries 4 -web.listen-address 127.0.0.1:1 -web.telemetry-path /metrics";
  expect(flags(...theirs.split(" "), ...more.split(" "))).toEqual([
    ...ALWAYS,
    "--source=dir:/a",
    "--source=dir:/b",
    "--notify=http://h/",
    "--notify-method=PUT",
    "--notify-status=204",
    "--notify-retries=3",
    "--admin-listen=127.0.0.1:1",
  ]);
});

test("what has no meaning here stays as it is, to be refused by its name", () => {
  expect(flags("-volume-dir=/a", "-volume-dir-archive=/b", "--web.telemetry-path=/m")).toEqual(
    expect.arrayContaining(["-volume-dir-archive=/b", "--web.telemetry-path=/m"]),
  );
});

test("git-sync's webhook is its own", () => {
  expect(flags("--repo=git://h/r", "--webhook-url=http://h/")).toContain("--notify=http://h/");
  expect(flags("--repo=git://h/r", "--webhook-url=http://h/")).not.toContain("--skip-first-notify");
});
