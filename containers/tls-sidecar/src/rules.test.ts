import { describe, expect, test } from "vitest";

import type { Identity } from "./identity.ts";
import { createRules, plainPathOf } from "./rules.ts";
import type { Rule } from "./rules.ts";

const identity = (commonName: string): Identity => ({
  commonNames: [commonName],
  organizationalUnits: [],
  dns: [],
  uris: [],
  ips: [],
  spki: "",
  notBefore: 0,
  notAfter: Infinity,
});
const lists = { cn: [], ou: [], dns: [], uri: [], ip: [], spki: [] };
const rule = (path: string, allow: Rule["allow"], methods: string[] = []): Rule => ({ path, methods, allow });

describe("the first rule that fits decides", () => {
  const rules = createRules([
    rule("/admin/login", "anyone"),
    rule("/admin", { ...lists, cn: ["root"] }, ["GET"]),
    rule("/admin/", "nobody"),
    rule("/mine", "certificate"),
  ]);
  const judge = (method: string, target: string, name?: string) =>
    rules.judge(method, target, name === undefined ? undefined : identity(name));

  test.each([
    ["GET", "/admin/login", undefined, true, 1],
    ["GET", "/admin", "root", true, 2],
    ["GET", "/admin/x?y=/mine", "root", true, 2],
    ["GET", "/admin/x", "web", false, 2],
    ["GET", "/admin/x", undefined, false, 2],
    ["POST", "/admin/x", "root", false, 3],
    ["GET", "/administrator", undefined, true, undefined],
    ["GET", "/mine", "web", true, 4],
    ["GET", "/mine", undefined, false, 4],
    ["GET", "/", undefined, true, undefined],
  ])("%s %s by %s", (method, target, name, allowed, number) => {
    expect(judge(method, target, name)).toMatchObject(number === undefined ? { allowed } : { allowed, number });
  });

  test.each([
    "/admin/x",
    "//admin//x",
    "/./admin/x",
    "/a/../admin/x",
    "/%61dmin/x",
    "/admin;v=1/x",
    "/admin/%2e%2e/admin/x",
    "http://a/admin/x",
    "/admin/x#",
  ])("however the path is written: %s", (target) => {
    expect(judge("GET", target, "web")).toMatchObject({ allowed: false, number: 2 });
  });

  test.each(["/admin%2fx", "/a\\..\\admin", "/a/%5c", "/%", "/%zz", "/%00"])(
    "what can be read in two ways is not judged: %s",
    (target) => {
      expect(judge("GET", target, "root")).toBeUndefined();
    },
  );
});

test("a path is what is left of it", () => {
  for (const [target, path] of [
    ["/", "/"],
    ["/a/", "/a"],
    ["/a/./b/../c", "/a/c"],
    ["/../../a", "/a"],
    ["*", "/*"],
    ["/a%20b", "/a b"],
    ["/%25", "/%"],
  ]) {
    expect(plainPathOf(target!)).toBe(path);
  }
});
