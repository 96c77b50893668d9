// Sizes of images, for people.
import type { BuiltImage } from "./build.ts";

const MIB = 2 ** 20;

/** Bytes as MiB with two digits: `1.73 MiB`. */
export const mebibytes = (bytes: number): string => `${(bytes / MIB).toFixed(2)} MiB`;

/** What an image adds to its base, in bytes. */
export const ownBytes = ({ bytes, baseFacts }: BuiltImage): number => bytes - baseFacts.bytes;

/** A line for each image: its tag, its size, what of that is its own, and its id. */
export function reportOf(images: readonly BuiltImage[]): string {
  const width = Math.max(...images.map(({ tag }) => tag.length));
  return images
    .map(
      (image) =>
        `${image.tag.padEnd(width)}  ${mebibytes(image.bytes)}, of which its own ${mebibytes(ownBytes(image))}  ${image.id.slice(0, 12)}`,
    )
    .join("\n");
}
