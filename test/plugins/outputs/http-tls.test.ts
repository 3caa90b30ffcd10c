import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import http, { type IncomingMessage } from "node:http";
import net from "node:net";
import type { Duplex } from "node:stream";
import { mkdirSync, symlinkSync } from "node:fs";
import httpOutput from "../../../plugins/outputs/http.ts";
import { type Proxy, proxyFor } from "../../../src/sdk/http/proxy.ts";
import { type Certificates, makeCertificates } from "./certificates.ts";
import { listen, startServer, stopServers, type TestServer } from "./http-server.ts";
import { bodies, driveOutput, type OutputDriver } from "./output-driver.ts";
import { eventually } from "../../support/eventually.ts";

let certificates: Certificates;
const driven: OutputDriver[] = [];
beforeAll(() => {
  certificates = makeCertificates();
});
afterAll(() => certificates.remove());
afterEach(async () => {
  for (const { output } of driven.splice(0)) await output.close?.();
  stopServers();
});

function outcome(options: Record<string, unknown>): Promise<Error | undefined> {
  const defaults = { tls: "on", "net.proxy_env_ignore": "on" };
  const output = driveOutput(httpOutput, { ...defaults, ...options });
  driven.push(output);
  return output.write(bodies({ a: 1 })).then(() => undefined, (error: Error) => error);
}

const secureServer = (options: object = {}): Promise<TestServer> =>
  startServer((response) => response.end(), {
    key: certificates.read("server.key"),
    cert: certificates.read("server.crt"),
    ...options,
  });

test("http refuses a server that no known authority vouches for, and tries again", async () => {
  const server = await secureServer();
  expect(await outcome({ port: server.port })).toMatchObject({
    name: "Error",
    message: expect.stringContaining("certificate"),
  });
  expect(server.received).toEqual([]);
});

test("http trusts the authority of tls.ca_file, and keeps the connection", async () => {
  const server = await secureServer();
  const options = { port: server.port, tls: "on", "tls.ca_file": certificates.path("ca.crt") };
  const output = driveOutput(httpOutput, { "net.proxy_env_ignore": "on", ...options });
  driven.push(output);
  await output.write(bodies({}));
  await output.write(bodies({}));
  expect([server.received.length, server.connections()]).toEqual([2, 1]);
});

test("http trusts the authorities of tls.ca_path", async () => {
  const server = await secureServer();
  const folder = certificates.path("authorities");
  mkdirSync(folder);
  symlinkSync(certificates.path("ca.crt"), `${folder}/0a1b2c3d.0`);
  expect(await outcome({ port: server.port, "tls.ca_path": folder })).toBeUndefined();
});

test("http accepts any certificate with tls.verify off", async () => {
  const server = await secureServer();
  expect(await outcome({ port: server.port, "tls.verify": "off" })).toBeUndefined();
});

test("http compares the certificate's name with tls.verify_hostname", async () => {
  const server = await secureServer();
  const options = {
    port: server.port,
    "tls.ca_file": certificates.path("ca.crt"),
    "tls.verify_hostname": "on",
  };
  expect(await outcome(options)).toMatchObject({ name: "Error" });
  expect(server.received).toEqual([]);
  expect(await outcome({ ...options, "tls.vhost": "localhost" })).toBeUndefined();
  expect(await outcome({ ...options, host: "localhost" })).toBeUndefined();
});

test.each([
  ["client.key", undefined],
  ["locked.key", "secret"],
])("http shows its own certificate, with %s", async (key, password) => {
  const server = await secureServer({
    ca: certificates.read("ca.crt"),
    requestCert: true,
    rejectUnauthorized: true,
  });
  const options = { port: server.port, "tls.ca_file": certificates.path("ca.crt") };
  expect(await outcome(options)).toBeInstanceOf(Error);
  expect(
    await outcome({
      ...options,
      "tls.crt_file": certificates.path("client.crt"),
      "tls.key_file": certificates.path(key),
      ...(password !== undefined && { "tls.key_passwd": password }),
    }),
  ).toBeUndefined();
  expect(server.received).toHaveLength(1);
});

test("http speaks no older TLS than tls.min_version", async () => {
  const server = await secureServer({ maxVersion: "TLSv1.2" });
  const options = { port: server.port, "tls.verify": "off" };
  expect(await outcome({ ...options, "tls.min_version": "TLSv1.3" })).toBeInstanceOf(Error);
  expect(await outcome({ ...options, "tls.min_version": "TLSv1.2" })).toBeUndefined();
});

test("http never falls back to plain text", async () => {
  const server = await startServer();
  expect(await outcome({ port: server.port, "tls.verify": "off" })).toBeInstanceOf(Error);
  expect(server.received).toEqual([]);
});

test.each([
  [{ "tls.ca_file": "/nonexistent" }, "tls.ca_file"],
  [{ "tls.crt_file": "/dev/null" }, "tls.key_file"],
  [{ "tls.ca_path": "/nonexistent" }, "tls.ca_path"],
  [{ "tls.min_version": "SSLv3" }, "TLSv1.2"],
])("http refuses the options %j", (options, message) => {
  expect(() => driveOutput(httpOutput, { tls: "on", ...options })).toThrow(message);
});

/** A proxy that remembers what it was asked for, and tunnels. */
async function startProxy(status = 200): Promise<{ port: number; asked: string[] }> {
  const asked: string[] = [];
  const note = ({ method, url, headers }: IncomingMessage) =>
    asked.push(`${method} ${url} ${headers["proxy-authorization"]}`);
  const proxy = http.createServer((request, response) => {
    note(request);
    request.resume();
    request.on("end", () => response.end());
  });
  proxy.on("connect", (request: IncomingMessage, socket: Duplex) => {
    note(request);
    socket.on("error", () => undefined);
    if (status !== 200) return void socket.end(`HTTP/1.1 ${status} No\r\n\r\n`);
    const [host, port] = request.url!.split(":");
    const upstream = net.connect(Number(port), host, () => {
      socket.write("HTTP/1.1 200 OK\r\n\r\n");
      upstream.pipe(socket);
      socket.pipe(upstream);
    });
    upstream.on("error", () => socket.destroy());
    upstream.on("close", () => socket.destroy());
  });
  return { port: await listen(proxy), asked };
}

test("http tunnels TLS through a proxy, checks the server, and keeps the tunnel", async () => {
  const server = await secureServer();
  const proxy = await startProxy();
  const options = {
    port: server.port,
    tls: "on",
    proxy: `http://me:pw@127.0.0.1:${proxy.port}`,
    "tls.ca_file": certificates.path("ca.crt"),
    "tls.vhost": "localhost",
    "tls.verify_hostname": "on",
  };
  const output = driveOutput(httpOutput, options);
  driven.push(output);
  await output.write(bodies({}));
  await output.write(bodies({}));
  expect(server.received).toHaveLength(2);
  expect(server.received[0]!.headers["proxy-authorization"]).toBeUndefined();
  expect(proxy.asked).toEqual([`CONNECT 127.0.0.1:${server.port} Basic bWU6cHc=`]);
  const untrusted = { ...options, "tls.ca_file": certificates.path("client.crt") };
  expect(await outcome(untrusted)).toBeInstanceOf(Error);
  expect(server.received).toHaveLength(2);
});

test("http leaves no connection behind at a proxy that does not answer", async () => {
  const open = new Set<net.Socket>();
  const silent = net.createServer((socket) => {
    open.add(socket);
    socket.resume().on("error", () => undefined).on("close", () => open.delete(socket));
  });
  const port = await listen(silent);
  const error = await outcome({
    proxy: `http://127.0.0.1:${port}`,
    "net.connect_timeout": "100ms",
  });
  expect(error!.message).toContain("takes too long");
  await eventually(() => open.size === 0);
});

test("http hands a plain request to the proxy whole", async () => {
  const proxy = await startProxy();
  const options = { tls: "off", host: "logs.invalid", port: 81, uri: "/in" };
  expect(await outcome({ ...options, proxy: `127.0.0.1:${proxy.port}` })).toBeUndefined();
  expect(proxy.asked).toEqual(["POST http://logs.invalid:81/in undefined"]);
});

test("http tries again when the proxy opens no tunnel, without naming its password", async () => {
  const proxy = await startProxy(407);
  const error = await outcome({ proxy: `http://me:pass-word@127.0.0.1:${proxy.port}` });
  expect(error!.name).toBe("Error");
  expect(error!.message).toContain("407");
  expect(error!.message).not.toContain("pass-word");
});

const PLAIN = { host: "logs.example.com", tls: false, "net.proxy_env_ignore": false };
const proxyHost = (config: object, env: Record<string, string>): Proxy["host"] | undefined =>
  proxyFor({ ...PLAIN, ...config }, env)?.host;

test("proxyFor() reads the environment as others do", () => {
  const env = { HTTP_PROXY: "http://plain:1", https_proxy: "http://secure:2" };
  expect(proxyHost({}, env)).toBe("plain");
  expect(proxyHost({ tls: true }, env)).toBe("secure");
  expect(proxyHost({ tls: true }, { http_proxy: "plain:1" })).toBe("plain");
  expect(proxyHost({ "net.proxy_env_ignore": true }, env)).toBeUndefined();
  expect(proxyHost({ proxy: "http://own:3" }, { ...env, NO_PROXY: "*" })).toBe("own");
});

test.each([
  ["*", true],
  ["example.com", true],
  [".example.com", true],
  ["*.example.com", true],
  ["other, logs.example.com:80", true],
  ["ample.com", false],
  ["logs.example.com.evil", false],
  ["", false],
])("proxyFor() goes around the proxy for NO_PROXY %j: %p", (list, around) => {
  const host = proxyHost({}, { http_proxy: "http://plain:1", NO_PROXY: list });
  expect(host).toBe(around ? undefined : "plain");
});
