// A server for the machine's network: prints its port, and then each request as a line of JSON.
const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  async fetch(request) {
    const authorization = request.headers.get("authorization");
    console.log(JSON.stringify({ authorization, body: await request.text() }));
    return new Response();
  },
});
console.log(JSON.stringify({ port: server.port }));
