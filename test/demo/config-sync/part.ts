// config-sync in the demo: it brings the application's further words to the file that it reads, and takes them back when
// the application does not.
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

import { request, until } from "@outrigger/testing";

import type { ContainerProcess } from "../container.ts";
import type { Check, Part, Pod, RunningPart } from "../part.ts";

type Scene = {
  readonly pod: Pod;
  readonly process: ContainerProcess;
  readonly adminPort: number;
  /** Writes another edition into the source; without `isGood` with a line that the application cannot read. */
  readonly edit: (isGood?: boolean) => string;
};

type Status = { readonly confirmed: boolean; readonly refused: readonly string[]; readonly outcome: string };

function createEditor(source: string): Scene["edit"] {
  let number = 0;
  return (isGood = true) => {
    const edition = `edition ${++number} of the further words`;
    const words = `; from the source of the demo\nedition = ${edition}\n${isGood ? "" : "a line without a meaning\n"}`;
    writeFileSync(join(source, "edition.txt"), `${edition}\n`);
    writeFileSync(join(source, "words.ini"), words);
    return edition;
  };
}

async function start(pod: Pod): Promise<RunningPart> {
  const source = join(pod.folder, "source");
  mkdirSync(source);
  const edit = createEditor(source);
  edit();
  const { words, address } = pod.application;
  const options = {
    source: `dir:${source}`,
    output: dirname(words),
    notify: `signal:HUP:command:--words ${words}`,
    "wait-for": `http://${address}/ping`,
    confirm: `http://${address}/words/edition`,
    "confirm-text": "{file:edition.txt}",
    "confirm-timeout": "2s",
    "admin-listen": `127.0.0.1:${await pod.portFor(9914)}`,
    "drain-delay": "0",
  };
  const args = Object.entries(options).map(([name, value]) => `--${name}=${value}`);
  const process = pod.startContainer("config-sync", { label: "config-sync", args });
  await process.ready();
  const scene: Scene = { pod, process, adminPort: await process.portOf("admin"), edit };
  return {
    processes: [process],
    listeners: [
      { who: "config-sync", url: `http://127.0.0.1:${scene.adminPort}`, what: "its admin: status, rollback" },
    ],
    files: [{ names: "source/words.ini", what: "further words; config-sync brings them to published/words.ini" }],
    tries: [
      { what: "The edition of the words that the application has", command: `curl http://${address}/words/edition` },
      {
        what: "Which revision is live, and since when",
        command: `curl http://127.0.0.1:${scene.adminPort}/api/v1/status`,
      },
    ],
    keys: [{ key: "c", what: "change the application's configuration", press: () => changeLive(scene) }],
    checks: checksOf(scene),
  };
}

const editionOf = async ({ pod: { application } }: Scene): Promise<string> =>
  (await request({ host: "127.0.0.1", port: application.port }, "/words/edition")).body.trim();

const statusOf = async ({ process }: Scene): Promise<Status> =>
  ((await process.admin("/api/v1/status")).json() as { jobs: Status[] }).jobs[0]!;

async function changeLive(scene: Scene): Promise<void> {
  const edition = scene.edit();
  await until(async () => (await editionOf(scene)) === edition, { timeoutMs: 10_000, describe: edition });
  scene.pod.say(`the application has ${edition}`);
}

const change = async (scene: Scene): Promise<string> => {
  const edition = scene.edit();
  await until(async () => (await editionOf(scene)) === edition, { timeoutMs: 15_000, describe: edition });
  await until(async () => (await statusOf(scene)).confirmed, { timeoutMs: 15_000, describe: "its confirmation" });
  return `the application has ${edition}, and config-sync knows`;
};

const refusal = async (scene: Scene): Promise<string> => {
  const before = await editionOf(scene);
  scene.edit(false);
  await until(async () => (await statusOf(scene)).refused.length === 1, { timeoutMs: 20_000, describe: "the refusal" });
  await until(async () => (await statusOf(scene)).confirmed, { timeoutMs: 15_000, describe: "the way back" });
  assert.equal(await editionOf(scene), before);
  assert.equal((await scene.process.metrics()).value("config_sync_rollbacks_total", { reason: "refused" }), 1);
  return `taken back: the application still has ${before}`;
};

function checksOf(scene: Scene): Check[] {
  return [
    { what: "configuration changed", run: () => change(scene) },
    { what: "bad configuration", run: () => refusal(scene) },
    { what: "the next good one", run: () => change(scene) },
  ];
}

export const part: Part = {
  summary: "config-sync brings configuration to the application's disk, and takes back what it refuses",
  start,
};
