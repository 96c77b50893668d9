import { expect, test } from "vitest";

import { compileExpression } from "../../expressions.ts";
import { expressionOfFormat, numberOfVariable } from "./nginx-format.ts";

const read = (format: string, line: string): Record<string, string> =>
  Object.fromEntries(compileExpression(expressionOfFormat(format)).match(line)?.named ?? []);

test("a line of the format `combined` is taken apart, the request as well", () => {
  const line = '10.0.0.1 - - [10/Oct/2025:13:55:36 +0000] "GET /a?b HTTP/1.1" 200 23 "-" "curl \\x22x\\x22"';
  expect(read("combined", line)).toMatchObject({
    remote_addr: "10.0.0.1",
    request_method: "GET",
    request_uri: "/a?b",
    server_protocol: "HTTP/1.1",
    status: "200",
    body_bytes_sent: "23",
    http_user_agent: "curl \\x22x\\x22",
  });
});

test("a request that is none is a line all the same", () => {
  expect(read('"$request" $status', '"\\x16\\x03" 400')).toMatchObject({ status: "400", request_method: "" });
});

test("what stands between variables is no expression, and a variable may come twice", () => {
  expect(read("($status)+ ${status}|$request_time.", "(200)+ 200|0.5.")).toEqual({
    status: "200",
    request_time: "0.5",
  });
  expect(read("($status)+", "200")).toEqual({});
});

test.each([
  ["$a$b", "expected something between two variables at character 3"],
  ["text", "expected a $variable at character 1"],
])("the format %s is refused", (format, problem) => {
  expect(() => expressionOfFormat(format)).toThrow(problem);
});

test("times of several servers are added up, and none is no number", () => {
  expect(["0.1, 0.2 : 0.3", "-", "0.5, -", "soon"].map(numberOfVariable)).toEqual([
    expect.closeTo(0.6),
    undefined,
    0.5,
    Number.NaN,
  ]);
});
