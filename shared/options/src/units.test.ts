import { expect, test } from "vitest";

import { duration } from "./kinds.ts";

test("a duration that no timer waits for may be longer than a timer can", () => {
  const years = duration({ maxMs: 730 * 86_400_000 });
  expect(years.schema.parse("365d")).toBe(365 * 86_400_000);
  expect(years.schema.safeParse("731d").success).toBe(false);
});
