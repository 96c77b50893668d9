import { expect, test } from "vitest";

import { resolve } from "../test/surroundings.ts";
import { address, boolean, option, path, structured, text, z } from "./index.ts";

const described = { section: "S", summary: "It." };
const table = {
  listen: option({ ...described, kind: address(), default: "127.0.0.1:1" }),
  target: option({ ...described, kind: address(), aliases: { PROXY_PORT: (port: string) => `127.0.0.1:${port}` } }),
  clientCa: option({ ...described, kind: path(), aliases: { CACERT_PATH: String, CA_PATH: String } }),
  dryRun: option({ ...described, kind: boolean(), default: "false" }),
  greeting: option({ ...described, kind: text(), default: "hello" }),
  routes: option({ ...described, kind: structured(z.array(z.string()), "a list of routes") }),
};
const variables = (env: Record<string, string>) => resolve(table, { env });

test("a variable is the prefix and the option's words", () => {
  const { values, origins, problems } = variables({ DEMO_CLIENT_CA: "/ca", DEMO_DRY_RUN: "on", OTHER: "x" });
  expect(problems).toEqual([]);
  expect(values).toMatchObject({ clientCa: "/ca", dryRun: true });
  expect(origins.clientCa).toBe("variable DEMO_CLIENT_CA");
});

test("an empty variable counts as not set", () => {
  const { values, origins, problems } = variables({
    DEMO_LISTEN: "",
    DEMO_NONE: "",
    DEMO_GREETING: "",
    PROXY_PORT: "",
  });
  expect(problems).toEqual([]);
  expect(values.greeting).toBe("hello");
  expect(values.target).toBeUndefined();
  expect(origins.listen).toBe("default");
});

test("an unknown variable with the prefix is refused with the nearest name, and without its value", () => {
  expect(variables({ DEMO_LISEN: "secret", DEMO_UTTERLY_DIFFERENT: "secret" }).problems).toEqual([
    "DEMO_LISEN: expected a known variable (did you mean DEMO_LISTEN?)",
    "DEMO_UTTERLY_DIFFERENT: expected a known variable",
  ]);
  expect(variables({ DEMO_CONFIG_INLIN: "x" }).problems).toEqual([
    "DEMO_CONFIG_INLIN: expected a known variable (did you mean DEMO_CONFIG_INLINE?)",
  ]);
});

test("a wrong value is named by its variable or alias", () => {
  expect(variables({ DEMO_LISTEN: "x", PROXY_PORT: "http" }).problems).toEqual([
    "DEMO_LISTEN: expected host:port, [ipv6]:port or unix:/path, got x",
    "PROXY_PORT: expected host:port, [ipv6]:port or unix:/path, got 127.0.0.1:http",
  ]);
});

test("what only the file can hold is refused in a variable", () => {
  expect(variables({ DEMO_ROUTES: "[]" }).problems).toEqual([
    "DEMO_ROUTES: expected routes as a key of the file, got a variable",
  ]);
});

test("the variables that Kubernetes injects for a Service of the same name are ignored", () => {
  const { values, problems } = variables({
    DEMO_SERVICE_HOST: "10.0.0.1",
    DEMO_SERVICE_PORT: "80",
    DEMO_SERVICE_PORT_HTTP: "80",
    DEMO_PORT: "tcp://10.0.0.1:80",
    DEMO_PORT_80_TCP: "tcp://10.0.0.1:80",
    DEMO_PORT_80_TCP_PROTO: "tcp",
    DEMO_PORT_80_TCP_PORT: "80",
    DEMO_PORT_80_TCP_ADDR: "10.0.0.1",
    DEMO_PORT_53_UDP: "udp://10.0.0.1:53",
    DEMO_OTHER_SERVICE_HOST: "10.0.0.2",
    DEMO_OTHER_PORT_80_SCTP_ADDR: "10.0.0.2",
    PROXY_PORT: "tcp://10.0.0.1:8080",
  });
  expect(problems).toEqual([]);
  expect(values.target).toBeUndefined();
});

test("a Service whose variable has the name of an option does not set it, and the option can still be set", () => {
  const own = { adminPort: option({ ...described, kind: text(), default: "1" }) };
  const of = (value: string) => resolve(own, { env: { DEMO_ADMIN_PORT: value } });
  expect(of("tcp://10.0.0.1:80")).toMatchObject({ problems: [], values: { adminPort: "1" } });
  expect(of("80")).toMatchObject({ problems: [], values: { adminPort: "80" } });
});

test("an alias is converted, and yields to the container's own variable and to earlier aliases", () => {
  expect(variables({ PROXY_PORT: "8000" }).values.target).toEqual({ host: "127.0.0.1", port: 8000 });
  expect(variables({ PROXY_PORT: "8000" }).origins.target).toBe("variable PROXY_PORT");
  expect(variables({ PROXY_PORT: "8000", DEMO_TARGET: "h:1" }).values.target).toEqual({ host: "h", port: 1 });
  expect(variables({ CA_PATH: "/b", CACERT_PATH: "/a" }).values.clientCa).toBe("/a");
});
