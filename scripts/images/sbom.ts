// What is in a container's bundle, as a CycloneDX 1.6 bill of materials (https://cyclonedx.org/docs/1.6/json/): the packages
// of which the bundle really holds code, not all that were installed to make it. The same bundle gives the same text.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";

import { containerFolder } from "../containers.ts";

type Manifest = {
  readonly name: string;
  readonly version: string;
  readonly description?: string;
  readonly license?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
};

type Metafile = {
  readonly outputs: Readonly<Record<string, { inputs: Readonly<Record<string, { bytesInOutput: number }>> }>>;
};

type Component = {
  readonly type: "application" | "library";
  readonly "bom-ref": string;
  readonly name: string;
  readonly version: string;
  readonly description?: string | undefined;
  readonly purl: string;
  readonly licenses?: readonly object[];
};

/** The bill of a container that has been bundled by this process: paths in its metafile are relative to the working folder. */
export function sbomOf(name: string): object {
  const folder = containerFolder(name);
  const metafile = JSON.parse(readFileSync(join(folder, "dist", "meta.json"), "utf8")) as Metafile;
  const main = componentOf("application", readManifest(folder));
  const found = packageFolders(metafile).map((path) => componentOf("library", readManifest(resolve(path))));
  // A package may lie in several folders.
  const components = [...new Map(found.map((component) => [component.purl, component])).values()].sort((a, b) =>
    a.purl < b.purl ? -1 : 1,
  );
  return {
    $schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    serialNumber: serialNumberOf([main, ...components]),
    version: 1,
    metadata: { component: main },
    components,
    dependencies: [{ ref: main["bom-ref"], dependsOn: components.map(({ "bom-ref": ref }) => ref) }],
  };
}

/** The folders of the packages of which the bundle holds code. */
function packageFolders({ outputs }: Metafile): string[] {
  const folders = Object.values(outputs).flatMap(({ inputs }) =>
    Object.entries(inputs).flatMap(([path, { bytesInOutput }]) => {
      const folder = /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0];
      return folder === undefined || bytesInOutput === 0 ? [] : [folder];
    }),
  );
  return [...new Set(folders)];
}

const readManifest = (folder: string): Manifest =>
  JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest;

function componentOf(type: Component["type"], { name, version, description, license }: Manifest): Component {
  // The @ of a scope is percent-encoded in a package URL (purl-spec, types/npm).
  const purl = `pkg:npm/${name.replace(/^@/, "%40")}@${version}`;
  return { type, "bom-ref": purl, name, version, description, purl, ...licensesOf(license) };
}

/** An SPDX identifier, or an SPDX expression of several. */
function licensesOf(license: string | undefined): { licenses?: readonly object[] } {
  if (license === undefined) return {};
  return { licenses: [/[ ()]/.test(license) ? { expression: license } : { license: { id: license } }] };
}

/** A UUID (RFC 9562, version 8: of our own making) out of what is listed. */
function serialNumberOf(components: readonly Component[]): string {
  const hex = createHash("sha256").update(JSON.stringify(components)).digest("hex");
  const variant = ((Number.parseInt(hex[16]!, 16) & 0x3) | 0x8).toString(16);
  return `urn:uuid:${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
