import { expect, test } from "vitest";

import { translate } from "./words.ts";

const flagsFor = (...argv: string[]): readonly string[] => translate({ argv, env: {} }).argv;

test("nutcracker's flags become ours, short, long and joined to their value", () => {
  const expected = ["--config=/etc/config/nutcracker.yaml", "--log-level=info", "--stats-listen=127.0.0.1:6222"];
  expect(flagsFor("-c", "/etc/config/nutcracker.yaml", "-v", "7", "-s", "6222")).toEqual(expected);
  expect(flagsFor("-c/etc/config/nutcracker.yaml", "-v7", "-s6222")).toEqual(expected);
  expect(
    flagsFor("--conf-file=/f", "--verbose=11", "--stats-port=1", "--stats-addr", "0.0.0.0", "--test-conf"),
  ).toEqual(["--config=/f", "--log-level=debug", "--check-config", "--stats-listen=0.0.0.0:1"]);
  expect(flagsFor("-c", "/f", "-v", "4")).toEqual([
    "--config=/f",
    "--log-level=warn",
    "--stats-listen=127.0.0.1:22222",
  ]);
  expect(flagsFor("-v0", "-c", "/f")[0]).toBe("--log-level=error");
});

test("what has no meaning here stays, to be refused by its name, and our own flags are as they were", () => {
  expect(flagsFor("-c", "/f", "-d", "-o", "/log")).toEqual([
    "--config=/f",
    "-d",
    "-o",
    "/log",
    "--stats-listen=127.0.0.1:22222",
  ]);
  expect(flagsFor("--config", "/f", "--stats-listen=1.2.3.4:5")).toEqual([
    "--config",
    "/f",
    "--stats-listen=1.2.3.4:5",
  ]);
});
