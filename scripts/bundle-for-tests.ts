// Makes fresh bundles of all containers before the behaviour tests, which start them as processes.
import { bundle } from "./bundle.ts";
import { containerFolder, containerNames } from "./containers.ts";

export async function setup(): Promise<void> {
  await Promise.all(containerNames().map((name) => bundle(containerFolder(name))));
}
