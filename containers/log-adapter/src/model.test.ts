// Records as they are written.
import * as fc from "fast-check";
import { expect, test } from "vitest";

import { createModel } from "./model.ts";
import { createReading } from "./reading.ts";

const CIRCUMSTANCES = { observedMs: 0, flags: [], file: "", iostream: "" };
const written = (write: ReturnType<typeof createModel>, reading: object, circumstances: object = {}) =>
  JSON.parse(write({ ...createReading(), ...reading }, { ...CIRCUMSTANCES, ...circumstances }));

test("whatever is in a record, and whatever was in the one before it, is what is read of it again", () => {
  const write = createModel("otel", {});
  const record = fc.record({
    body: fc.string({ unit: "binary" }),
    severityText: fc.string({ unit: "binary", minLength: 1 }),
    attributes: fc.array(fc.tuple(fc.string({ unit: "binary" }), fc.oneof(fc.string({ unit: "binary" }), fc.double()))),
    file: fc.string({ minLength: 1 }),
  });
  fc.assert(
    fc.property(record, ({ body, severityText, attributes, file }) => {
      const names = attributes.filter(([name]) => !["log.file.path", "log.format", "__proto__"].includes(name));
      const made = written(write, { body, severityText, attributes: names.flat() }, { file });
      // What is no character by itself is written as an escape, and numbers that JSON does not have as null.
      const expected = JSON.parse(JSON.stringify(Object.fromEntries(names)));
      expect(made.Body).toBe(body);
      expect(made.SeverityText).toBe(severityText);
      expect(made.Attributes).toEqual({ ...expected, "log.file.path": file, "log.format": "unparsed" });
    }),
  );
});

test("times are written in UTC with the digits that are known, whatever the order in which they come", () => {
  const write = createModel("otel", {});
  const time = fc.integer({ min: 0, max: 4e12 });
  fc.assert(
    fc.property(time, time, fc.integer({ min: 0, max: 999_999 }), (ms, observedMs, nanos) => {
      const made = written(write, { ms, nanos }, { observedMs });
      const digits = String(nanos).padStart(6, "0").replace(/000$/, "");
      expect(made.Timestamp).toBe(`${new Date(ms).toISOString().slice(0, -1)}${nanos === 0 ? "" : digits}Z`);
      expect(made.ObservedTimestamp).toBe(new Date(observedMs).toISOString());
    }),
  );
});
