import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * An authority of its own as files in a temporary folder, with certificates: a `server`'s for localhost, one that has
 * `expired`, one for `elsewhere`, and a `client`'s.
 */
export interface Certificates {
  readonly path: (name: string) => string;
  readonly read: (name: string) => Buffer;
  remove(): void;
}

export function makeCertificates(): Certificates {
  const folder = mkdtempSync(join(tmpdir(), "certificates-"));
  const path = (name: string) => join(folder, name);
  const openssl = (...args: string[]): void => {
    const { exitCode, stderr } = Bun.spawnSync(["openssl", ...args], { cwd: folder });
    if (exitCode !== 0) throw new Error(`openssl ${args[0]}: ${stderr}`);
  };
  const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  const sign = (name: string, extension: string, days = 2): void => {
    writeFileSync(path("extensions"), extension);
    openssl(
      "req",
      ...newKey,
      "-keyout",
      `${name}.key`,
      "-out",
      `${name}.csr`,
      "-subj",
      `/CN=${name}`,
    );
    const authority = ["-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial"];
    const output = ["-out", `${name}.crt`, "-days", `${days}`, "-extfile", "extensions"];
    openssl("x509", "-req", "-in", `${name}.csr`, ...authority, ...output);
  };
  const subject = ["-subj", "/CN=Test authority", "-addext", "basicConstraints=critical,CA:TRUE"];
  openssl(
    "req",
    "-x509",
    ...newKey,
    "-keyout",
    "ca.key",
    "-out",
    "ca.crt",
    "-days",
    "2",
    ...subject,
  );
  sign("server", "subjectAltName=DNS:localhost");
  sign("expired", "subjectAltName=DNS:localhost", -1);
  sign("elsewhere", "subjectAltName=DNS:elsewhere.example");
  sign("client", "extendedKeyUsage=clientAuth");
  openssl("ec", "-in", "client.key", "-aes128", "-passout", "pass:secret", "-out", "locked.key");
  return {
    path,
    read: (name) => readFileSync(path(name)),
    remove: () => rmSync(folder, { recursive: true }),
  };
}
