// Root file systems made of the programs of this machine: each program with the shared libraries that its loader finds,
// and nothing else. For bases where no registry can be reached, and for the applications in the tests of pods.
import { execFileSync } from "node:child_process";
import { chmodSync, cpSync, existsSync, mkdirSync, realpathSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** The user that our containers run as; 65532 is "nonroot" in the distroless images. */
export const NONROOT = 65532;

/** Writes what every program needs of a system, and nothing of a shell: users, names, authorities, a place for temporary files. */
export function writeSkeleton(folder: string): void {
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  };
  write(
    "etc/passwd",
    `root:x:0:0:root:/root:/sbin/nologin\nnonroot:x:${NONROOT}:${NONROOT}:nonroot:/home/nonroot:/sbin/nologin\n`,
  );
  write("etc/group", `root:x:0:\nnonroot:x:${NONROOT}:\n`);
  write("etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n");
  mkdirSync(join(folder, "home/nonroot"), { recursive: true });
  mkdirSync(join(folder, "tmp"), { recursive: true });
  chmodSync(join(folder, "tmp"), 0o1777);
  const authorities = "/etc/ssl/certs/ca-certificates.crt";
  if (existsSync(authorities)) copyFile(authorities, join(folder, authorities));
}

/** Copies a program to `target`, a path in the folder, and the libraries and the loader that it is linked with. */
export function addProgram(folder: string, program: string, target: string): void {
  copyFile(program, join(folder, target));
  chmodSync(join(folder, target), 0o755);
  for (const library of librariesOf(program)) {
    if (!existsSync(join(folder, library))) copyFile(library, join(folder, library));
  }
}

/** Copies a file or a folder of this machine to the same path in the folder. */
export const addPath = (folder: string, path: string): void => copyFile(path, join(folder, path));

/** A link in the folder at `path`, to `target` as the container sees it. */
export function addLink(folder: string, path: string, target: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  symlinkSync(target, join(folder, path));
}

function copyFile(source: string, target: string): void {
  mkdirSync(dirname(target), { recursive: true });
  cpSync(realpathSync(source), target, { recursive: true, dereference: true, mode: 0 });
}

/** The shared libraries of a program, by the paths where its loader looks: those that ldd(1) prints. */
function librariesOf(program: string): string[] {
  let printed: string;
  try {
    printed = execFileSync("ldd", [program], { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  } catch {
    // A program that is linked statically has none, and ldd ends with 1.
    return [];
  }
  return [...printed.matchAll(/(?:=> )?(\/\S+) \(0x/g)].map(([, path]) => path!);
}
