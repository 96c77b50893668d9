import { expect, test } from "vitest";

import { compileExpression, expandTemplate, problemIn } from "./expressions.ts";

test.each([
  ["a(b)(?P<n>c)(d)", "xabcdx", "$1-$n-$3-$2-$0", "b-c-d-c-"],
  ["[(](x)\\((y)[]()](z)", "(x(y)z", "$1$2$3", "xyz"],
  ["(?:a)(b)?", "a", "<$1>", "<>"],
  ["(a)", "a", "${1}0 $$1 $10", "a0 $1 "],
])("groups of %s are counted, named or not", (source, text, template, expanded) => {
  expect(expandTemplate(template, compileExpression(source).match(text)!)).toBe(expanded);
});

test("an expression may have to fit as a whole", () => {
  expect(compileExpression("a.c", { whole: true }).match("xabc")).toBeUndefined();
  expect(compileExpression("a.c|x", { whole: true }).match("a\nc")).toBeDefined();
});

test("what is no expression is told", () => {
  expect(problemIn("a(b")).toMatch(/character 2/);
  expect(problemIn("a(b)")).toBeUndefined();
});
