import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";

import { expect, test } from "vitest";

/** The size of the space for new objects after a burst of short-lived ones that outlive a collection each. */
function newSpaceAfterBurst(prelude: string): number {
  const program = `
    import { getHeapSpaceStatistics } from "node:v8";
    ${prelude}
    const ring = [];
    for (let i = 0; i < 2_000_000; i++) ring[i % 50_000] = { text: "x" + i, list: [i, i] };
    const space = getHeapSpaceStatistics().find(({ space_name }) => space_name === "new_space");
    console.log(space.space_size);`;
  return Number(execFileSync(process.execPath, ["--input-type=module", "--eval", program], { encoding: "utf8" }));
}

test.skipIf(process.versions["bun"] !== undefined)(
  "the space for new objects does not grow with a burst of work",
  () => {
    expect(
      newSpaceAfterBurst(`import ${JSON.stringify(fileURLToPath(new URL("./small-heap.ts", import.meta.url)))};`),
    ).toBeLessThanOrEqual(newSpaceAfterBurst("") / 4);
  },
);
