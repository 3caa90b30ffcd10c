import {
  appendFileSync,
  closeSync,
  copyFileSync,
  existsSync,
  fstatSync,
  linkSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

/** The log files of one collector, and what writers, logrotate and administrators do to them. */
export class LogFolder implements Disposable {
  private readonly path: string;
  /** Files that a program has open, by a name for the program. */
  private readonly open = new Map<string, number>();

  constructor(path: string) {
    this.path = path;
  }

  at(name: string): string {
    return join(this.path, name);
  }

  append(name: string, content: string | Uint8Array): void {
    appendFileSync(this.at(name), content);
  }

  /** A program opens a file to append to it, whatever name the file gets later. */
  openFor(program: string, name: string): void {
    this.close(program);
    this.open.set(program, openSync(this.at(name), "a"));
  }

  writeBy(program: string, content: string | Uint8Array): void {
    const bytes = typeof content === "string" ? Buffer.from(content) : content;
    writeSync(this.open.get(program)!, bytes);
  }

  close(program: string): void {
    const fd = this.open.get(program);
    if (fd !== undefined) closeSync(fd);
    this.open.delete(program);
  }

  /** As logrotate does it: the oldest name gets the highest number. */
  rotate(name: string): void {
    const named = (n: number) =>
      ["", ".gz"].filter((end) => existsSync(this.at(`${name}.${n}${end}`)));
    let last = 0;
    while (named(last + 1).length > 0) last++;
    for (let n = last; n > 0; n--) {
      for (const end of named(n)) this.rename(`${name}.${n}${end}`, `${name}.${n + 1}${end}`);
    }
    this.rename(name, `${name}.1`);
  }

  rename(from: string, to: string): void {
    renameSync(this.at(from), this.at(to));
  }

  remove(name: string): void {
    rmSync(this.at(name));
  }

  copyAndTruncate(name: string, copy: string): void {
    copyFileSync(this.at(name), this.at(copy));
    truncateSync(this.at(name));
  }

  /** A truncation under a writer that does not append: it goes on where it was, behind a hole of zeros. */
  truncateWithHole(name: string, content: string): void {
    const fd = openSync(this.at(name), "r+");
    const at = fstatSync(fd).size;
    truncateSync(this.at(name));
    writeSync(fd, content, at);
    closeSync(fd);
  }

  /** The packed file appears whole, then the plain one goes. */
  gzip(name: string): void {
    writeFileSync(this.at("packing"), gzipSync(readFileSync(this.at(name))));
    this.rename("packing", `${name}.gz`);
    this.remove(name);
  }

  hardLink(name: string, other: string): void {
    linkSync(this.at(name), this.at(other));
  }

  /** The link points to the target from one moment to the next. */
  pointTo(link: string, target: string): void {
    rmSync(this.at("new-link"), { force: true });
    symlinkSync(target, this.at("new-link"));
    this.rename("new-link", link);
  }

  [Symbol.dispose](): void {
    for (const program of this.open.keys()) this.close(program);
  }
}
