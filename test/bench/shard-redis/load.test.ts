import { expect, test } from "vitest";

import { rateIn } from "./load.ts";

test("the rate stands in the last line that redis-benchmark prints", () => {
  const heading = '"test","rps","avg_latency_ms"';
  expect(rateIn(`${heading}\n"GET key:__rand_int__","81234.50","0.500"\n`)).toBe(81234.5);
  expect(() => rateIn(`${heading}\n`)).toThrow("expected a rate");
  expect(() => rateIn("")).toThrow("expected a rate");
});
