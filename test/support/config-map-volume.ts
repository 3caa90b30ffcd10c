import {
  chmodSync,
  mkdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";

/**
 * A folder as the kubelet mounts a ConfigMap: the files are links into `..data`, which is a link to a folder that is
 * another one after each change. Everybody may write to it, were it not mounted for reading only.
 */
export class ConfigMapVolume {
  private versions = 0;
  private names = new Set<string>();

  constructor(readonly folder: string, files: Readonly<Record<string, string>>) {
    mkdirSync(folder, { recursive: true });
    chmodSync(folder, 0o777);
    this.update(files);
  }

  /** As the kubelet does it: all files at once, by exchanging one link. */
  update(files: Readonly<Record<string, string>>): void {
    const at = (name: string) => join(this.folder, name);
    const version = `..2026_01_01_12_00_00.${++this.versions}`;
    mkdirSync(at(version));
    for (const [name, text] of Object.entries(files)) writeFileSync(at(`${version}/${name}`), text);
    const before = this.versions === 1 ? undefined : readlinkSync(at("..data"));
    symlinkSync(version, at("..data_tmp"));
    renameSync(at("..data_tmp"), at("..data"));
    const names = new Set(Object.keys(files));
    for (const name of names.difference(this.names)) symlinkSync(`..data/${name}`, at(name));
    for (const name of this.names.difference(names)) rmSync(at(name));
    this.names = names;
    if (before !== undefined) rmSync(at(before), { recursive: true });
  }
}
