import { expect, test } from "vitest";

import { escapeLabelName, escapeMetricName } from "./names.ts";

// The names and results are those that prometheus/common documents for its schemes.
test.each([
  ["no:escaping_required", "no:escaping_required", "no:escaping__required", "no:escaping_required"],
  [
    "mysystem.prod.west.cpu.load",
    "mysystem_prod_west_cpu_load",
    "mysystem_dot_prod_dot_west_dot_cpu_dot_load",
    "U__mysystem_2e_prod_2e_west_2e_cpu_2e_load",
  ],
  [
    "mysystem.prod.west.cpu.load_total",
    "mysystem_prod_west_cpu_load_total",
    "mysystem_dot_prod_dot_west_dot_cpu_dot_load__total",
    "U__mysystem_2e_prod_2e_west_2e_cpu_2e_load__total",
  ],
  ["http.status:sum", "http_status:sum", "http_dot_status:sum", "U__http_2e_status:sum"],
  ["label with 😱", "label_with__", "label__with____", "U__label_20_with_20__1f631_"],
  ["花火", "__", "____", "U___82b1__706b_"],
])("%s is escaped", (name, underscores, dots, values) => {
  expect(escapeMetricName(name, "allow-utf-8")).toBe(name);
  expect(escapeMetricName(name, "underscores")).toBe(underscores);
  expect(escapeMetricName(name, "dots")).toBe(dots);
  expect(escapeMetricName(name, "values")).toBe(values);
});

test("a label may not have a colon", () => expect(escapeLabelName("a:b", "underscores")).toBe("a_b"));
