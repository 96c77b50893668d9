import { expect, test } from "vitest";

import { echoOf } from "./echo.ts";

const ask = (target: string, headers = {}, body = ""): unknown =>
  JSON.parse(echoOf({ method: "POST", target, headers, body: Buffer.from(body) }));

test("method, path, headers and body come back as they were", () => {
  expect(ask("/a/b", { host: "localhost" }, "hello")).toEqual({
    method: "POST",
    path: "/a/b",
    query: {},
    headers: { host: "localhost" },
    body: "hello",
  });
});

test("the query is decoded, and a parameter given twice is a list", () => {
  expect(ask("/?a=1&b=x%20y&a=2?")).toMatchObject({ path: "/", query: { a: ["1", "2?"], b: "x y" } });
});

test("credentials do not come back", () => {
  const text = echoOf({
    method: "GET",
    target: "/",
    headers: { authorization: "Bearer s3cret", cookie: "s3cret" },
    body: Buffer.alloc(0),
  });
  expect(text).not.toContain("s3cret");
});
