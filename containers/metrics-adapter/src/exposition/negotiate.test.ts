import { expect, test } from "vitest";

import { contentTypeOf, negotiate, takesGzip } from "./negotiate.ts";

const PROTO = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited";
const PROMETHEUS_3 =
  "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1";
const TEXT = "text/plain; version=0.0.4; charset=utf-8";
const OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=";

test.each([
  ["nothing", undefined, TEXT],
  ["anything", "*/*", TEXT],
  ["what we do not have", "image/png, text/html", TEXT],
  ["what Prometheus 3 sends", PROMETHEUS_3, `${OPENMETRICS}allow-utf-8`],
  [
    "the text format 1.0.0",
    "text/plain;version=1.0.0;escaping=dots",
    "text/plain; version=1.0.0; charset=utf-8; escaping=dots",
  ],
  ["a browser's text", "text/plain", TEXT],
  ["an unknown version", "application/openmetrics-text;version=7.0.0,text/plain;q=0.1", TEXT],
  ["an unknown escaping", "application/openmetrics-text;version=1.0.0;escaping=wild", `${OPENMETRICS}underscores`],
  [
    "OpenMetrics 0.0.1",
    "application/openmetrics-text;version=0.0.1",
    "application/openmetrics-text; version=0.0.1; charset=utf-8",
  ],
  [
    "quality before order",
    "text/plain;version=0.0.4;q=0.1, application/openmetrics-text;version=1.0.0;q=0.9",
    `${OPENMETRICS}underscores`,
  ],
  ["order at the same quality", "text/plain;version=0.0.4, application/openmetrics-text", TEXT],
  ["a quality of 0 as a refusal", "application/openmetrics-text;q=0, text/plain;q=0.1", TEXT],
  ["a nonsense quality as a refusal", "application/openmetrics-text;q=2", TEXT],
  [
    "protobuf",
    `${PROTO};q=0.6,text/plain;q=0.5`,
    "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited; escaping=underscores",
  ],
  ["protobuf of another message", "application/vnd.google.protobuf;proto=x;encoding=delimited,text/plain;q=0.1", TEXT],
])("%s", (_, accept, contentType) => expect(contentTypeOf(negotiate(accept))).toBe(contentType));

test.each([
  [undefined, false],
  ["gzip", true],
  ["br, gzip;q=0.5", true],
  ["gzip;q=0", false],
  ["identity", false],
])("Accept-Encoding %s", (header, taken) => expect(takesGzip(header)).toBe(taken));
