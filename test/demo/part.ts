// What a container brings to the demo: `test/demo/<name>/part.ts` exports one Part, and the demo finds it by its folder.
import type { CertificateAuthority } from "@outrigger/testing";

import type { Application } from "./application.ts";
import type { ContainerProcess, ContainerSettings } from "./container.ts";
import type { Process, ProcessSettings } from "./process.ts";

export type Runtime = "node" | "bun";

/** What the pod gives to its containers. */
export type Pod = {
  /** What the containers run on. */
  readonly runtime: Runtime;
  /** A temporary folder, with the authority's certificate in `ca.crt`. */
  readonly folder: string;
  readonly authority: CertificateAuthority;
  readonly application: Application;
  /** Shows a line of the demo itself among the live ones. */
  readonly say: (text: string) => void;
  /** The preferred port of loopback, or 0 (any free one) if it is taken or free ones are wanted. */
  readonly portFor: (preferred: number) => Promise<number>;
  /** Starts a container of the repository on the pod's runtime. Its lines are shown under `label`. */
  readonly startContainer: (name: string, settings: ContainerSettings) => ContainerProcess;
  /** Starts another program of the pod, such as a server beside the application. */
  readonly startProgram: (settings: Pick<ProcessSettings, "label" | "program" | "args">) => Process;
};

/** A row of the table of what listens where. */
export type Listener = { readonly who: string; readonly url: string; readonly what: string };
export type ShownFile = { readonly names: string; readonly what: string };
/** A command to copy. */
export type Try = { readonly what: string; readonly command: string };
/** A key that does something while the demo runs. */
export type Key = { readonly key: string; readonly what: string; readonly press: () => Promise<void> };
/** Gives what it found, as it is to be shown; throws when that is not as it has to be. */
export type Check = { readonly what: string; readonly run: () => Promise<string> };

/** A container of the demo that has started and is ready. */
export type RunningPart = {
  readonly processes: readonly Process[];
  readonly listeners: readonly Listener[];
  readonly files: readonly ShownFile[];
  readonly tries: readonly Try[];
  readonly keys: readonly Key[];
  /** In the order in which they are made: one may build on what another has left. */
  readonly checks: readonly Check[];
};

export type Part = {
  /** A sentence for somebody who has never heard of the container: what it does here. */
  readonly summary: string;
  readonly start: (pod: Pod) => Promise<RunningPart>;
};
