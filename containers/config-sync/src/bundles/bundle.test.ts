import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { deflateRawSync, gzipSync } from "node:zlib";

import { LimitError } from "@outrigger/files";
import { requirePrograms, tempDir } from "@outrigger/testing";
import { assert, asyncProperty, integer, uint8Array } from "fast-check";
import { describe, expect, onTestFinished as cleanup, test } from "vitest";

import type { BundleFormat } from "./bundle.ts";
import { unpack } from "./bundle.ts";

const programs = requirePrograms("tar", "zip");
const limits = { maxFiles: 50, maxBytes: 100_000 };
const open = async (format: BundleFormat, body: Buffer): Promise<Record<string, string>> =>
  Object.fromEntries(
    [...(await unpack(format, body, { name: "file", limits }))].map(([path, { content }]) => [path, String(content)]),
  );

const LONG = `${"long-".repeat(30)}/${"name-".repeat(30)}.conf`;

/** A folder with files of all sorts. */
function createTree(): string {
  const folder = tempDir(cleanup);
  mkdirSync(join(folder, "sub"));
  mkdirSync(join(folder, LONG, ".."), { recursive: true });
  writeFileSync(join(folder, "a.conf"), "1".repeat(3000));
  writeFileSync(join(folder, "sub", "ü.txt"), "2");
  writeFileSync(join(folder, LONG), "3");
  writeFileSync(join(folder, "run"), "4");
  writeFileSync(join(folder, "empty"), "");
  chmodSync(join(folder, "run"), 0o755);
  return folder;
}
const CONTENT = { "a.conf": "1".repeat(3000), "sub/ü.txt": "2", [LONG]: "3", run: "4", empty: "" };

function pack(folder: string, format: string): Buffer {
  const file = join(tempDir(cleanup), "bundle");
  if (format === "zip") execFileSync(programs.path("zip"), ["-qry", `${file}.zip`, "."], { cwd: folder });
  else execFileSync(programs.path("tar"), [`--format=${format}`, "-cf", `${file}.tar`, "."], { cwd: folder });
  return readFileSync(`${file}.${format === "zip" ? "zip" : "tar"}`);
}

describe.skipIf(programs.skip)(programs.title("bundles as real programs make them"), () => {
  test.each(["gnu", "pax", "zip"])("%s is unpacked whole, long names and all", async (format) => {
    const body = pack(createTree(), format);
    const kind = format === "zip" ? "zip" : "tar";
    expect(await open(kind, body)).toEqual(CONTENT);
    const files = await unpack(kind, body, { name: "", limits });
    expect([files.get("run")?.executable, files.get("a.conf")?.executable]).toEqual([true, undefined]);
    if (kind === "tar") expect(await open("tar", gzipSync(body))).toEqual(CONTENT);
  });

  test.each(["gnu", "zip"])("%s with a link in it is refused", async (format) => {
    const folder = createTree();
    symlinkSync("/etc/passwd", join(folder, "link"));
    await expect(open(format === "zip" ? "zip" : "tar", pack(folder, format))).rejects.toThrow(
      "link: expected a file or a folder, got a link",
    );
  });

  test.each(["gnu", "pax", "zip"])(
    "%s that is cut off anywhere is refused, and not half of it taken",
    async (format) => {
      const body = pack(createTree(), format);
      const kind = format === "zip" ? "zip" : "tar";
      // A tar ends with zeros, of which two blocks are enough.
      const end = kind === "tar" ? body.length - 10_240 : body.length - 1;
      for (let length = 0; length < end; length += 97) {
        await expect(open(kind, body.subarray(0, length))).rejects.toThrow("bundle: ");
      }
    },
  );

  test("damaged bytes end in an error or in a set within the limits, in no crash and no endless work", async () => {
    const bodies = (["gnu", "zip"] as const).map(
      (format) => [format === "zip" ? "zip" : "tar", pack(createTree(), format)] as const,
    );
    await assert(
      asyncProperty(
        integer({ min: 0, max: 1 }),
        integer({ min: 0 }),
        uint8Array({ minLength: 1, maxLength: 40 }),
        async (which, at, bytes) => {
          const [format, good] = bodies[which]!;
          const body = Buffer.from(good);
          body.set(bytes.subarray(0, body.length), at % Math.max(1, body.length - bytes.length));
          const files = await unpack(format, body, { name: "", limits }).catch((error: Error) => error);
          if (files instanceof Error) expect(files.message).toMatch(/^bundle: /);
          else expect(files.size).toBeLessThanOrEqual(50);
        },
      ),
      { numRuns: 2000 },
    );
  });
});

test("random bytes are no bundle of any kind", async () => {
  await assert(
    asyncProperty(uint8Array({ maxLength: 2000 }), async (bytes) => {
      for (const format of ["json-map", "tar", "zip"] as const) {
        const files = await open(format, Buffer.from(bytes)).catch((error: Error) => error);
        if (files instanceof Error) expect(files.message).toMatch(/^bundle: /);
      }
    }),
  );
});

test("a bomb is refused at its limit: gzip, ZIP that says so, and ZIP that lies", async () => {
  await expect(open("tar", gzipSync(Buffer.alloc(50_000_000)))).rejects.toThrow(LimitError);
  await expect(open("zip", zipOf("bomb", deflateRawSync(Buffer.alloc(50_000_000)), 50_000_000))).rejects.toThrow(
    LimitError,
  );
  await expect(open("zip", zipOf("bomb", deflateRawSync(Buffer.alloc(50_000_000)), 10))).rejects.toThrow(
    "bomb: expected 10 bytes",
  );
});

test("paths that lead out are refused in every kind of bundle", async () => {
  for (const path of ["../evil", "/etc/evil", "a/../../evil", "..data/evil"]) {
    await expect
      .soft(open("json-map", Buffer.from(JSON.stringify({ [path]: "x" }))))
      .rejects.toThrow("bundle: expected");
    await expect.soft(open("zip", zipOf(path, deflateRawSync(Buffer.from("x")), 1))).rejects.toThrow("bundle: ");
    await expect.soft(open("tar", tarOf(path, Buffer.from("x")))).rejects.toThrow("bundle: expected");
  }
});

test("a JSON map has texts and base64", async () => {
  expect(await open("json-map", Buffer.from('{"a/b":"1","c":{"base64":"Mg=="}}'))).toEqual({ "a/b": "1", c: "2" });
  for (const wrong of ["[]", "1", '{"a":1}', '{"a":{"base64":"!"}}', "{", '"a"']) {
    await expect.soft(open("json-map", Buffer.from(wrong))).rejects.toThrow("bundle: ");
  }
  const many = Object.fromEntries(Array.from({ length: 51 }, (_, i) => [`f${i}`, ""]));
  await expect(open("json-map", Buffer.from(JSON.stringify(many)))).rejects.toThrow(LimitError);
});

/** A ZIP of one deflated file that says to have `size` bytes. */
function zipOf(name: string, packed: Buffer, size: number): Buffer {
  const local = Buffer.alloc(30);
  local.writeUInt32LE(0x04034b50, 0);
  local.writeUInt16LE(name.length, 26);
  const central = Buffer.alloc(46);
  central.writeUInt32LE(0x02014b50, 0);
  central.writeUInt16LE(8, 10);
  central.writeUInt32LE(packed.length, 20);
  central.writeUInt32LE(size, 24);
  central.writeUInt16LE(name.length, 28);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(30 + name.length + packed.length, 16);
  return Buffer.concat([local, Buffer.from(name), packed, central, Buffer.from(name), end]);
}

function tarOf(name: string, content: Buffer): Buffer {
  const header = Buffer.alloc(512);
  header.write(name, 0);
  header.write("0000644", 100);
  header.write(content.length.toString(8).padStart(11, "0"), 124);
  header.write("        ", 148);
  header.write("0", 156);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return Buffer.concat([header, content, Buffer.alloc(512 - content.length), Buffer.alloc(1024)]);
}
