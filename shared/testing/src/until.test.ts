import { expect, test } from "vitest";

import { until } from "./until.ts";

test("until gives the first truthy value, of a synchronous or an asynchronous condition", async () => {
  let calls = 0;
  expect(await until(() => ++calls >= 3 && `call ${calls}`)).toBe("call 3");
  expect(await until(async () => ++calls >= 6 && `call ${calls}`)).toBe("call 6");
});

test("a condition that throws has not come true yet", async () => {
  let calls = 0;
  const value = await until(() => {
    if (++calls < 3) throw new Error("not yet");
    return calls;
  });
  expect(value).toBe(3);
});

test("a time-out says what was waited for, and the last value", async () => {
  const waiting = until(() => 0, { timeoutMs: 20, describe: "the queue to fill" });
  await expect(waiting).rejects.toThrow("waited 20 ms for the queue to fill; last value: 0");
});

test("a time-out says the last error, and has it as its cause", async () => {
  const cause = new Error("connection refused");
  const waiting = until(() => Promise.reject(cause), { timeoutMs: 20, describe: "the server" });
  await expect(waiting).rejects.toMatchObject({
    message: "waited 20 ms for the server; last error: connection refused",
    cause,
  });
});

test("a condition that never answers does not hold up the time-out", async () => {
  const waiting = until(() => new Promise(() => {}), { timeoutMs: 20 });
  await expect(waiting).rejects.toThrow("no answer yet");
});
