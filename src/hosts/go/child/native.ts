import { cc, dlopen, type FFIFunction, ptr } from "bun:ffi";
import { closeSync, writeSync } from "node:fs";

/**
 * What the native part uses of the C library. It is given the addresses instead of being linked: linking takes
 * the development files of the library, which a machine that only runs programs has not.
 */
const LIBC: readonly (readonly [result: string, name: string, parameters: string])[] = [
  ["int", "vsnprintf", "char *, unsigned long, const char *, va_list"],
  ["long", "write", "int, const void *, unsigned long"],
  ["long", "read", "int, void *, unsigned long"],
  ["int", "strcasecmp", "const char *, const char *"],
  ["int", "fcntl", "int, int, ..."],
  ["int", "open", "const char *, int, ..."],
  ["int", "dup2", "int, int"],
  ["int", "close", "int"],
  ["void *", "mmap", "void *, unsigned long, int, int, int, long"],
  ["int", "poll", "void *, unsigned long, int"],
  ["int", "prctl", "int, ..."],
  ["int", "getppid", "void"],
  ["int *", "__errno_location", "void"],
  ["void *", "signal", "int, void *"],
  ["void *", "realloc", "void *, unsigned long"],
  ["void", "free", "void *"],
  ["void", "_exit", "int"],
];

const PRELUDE = `
typedef __builtin_va_list va_list;
${
  LIBC.map(([result, name, parameters]) => `static ${result} (*${name})(${parameters});`).join("\n")
}
void bind(void **functions) {
  ${LIBC.map(([, name], i) => `${name} = functions[${i}];`).join("\n  ")}
}
`;

/**
 * The part of the host that a plugin calls from threads of its own, which JavaScript cannot be called from, and
 * what needs the system's own calls. Properties are `{key, value, key, value …}`, ended by a null key.
 */
const SOURCE = `${PRELUDE}
struct poll_entry { int fd; short events; short revents; };

static const char *get_property(const char *key, void *instance) {
  const char **entry = instance;
  if (!key || !entry) return 0;
  for (; entry[0]; entry += 2) if (strcasecmp(entry[0], key) == 0) return entry[1];
  return 0;
}

static void *metrics_context = 0;
static void *get_metrics(void *instance) { return metrics_context; }

static int log_check(void *instance, int level) { return level >= 1 && level <= 4; }

static void log_print(int level, const char *file, int line, const char *format, ...) {
  char text[8192];
  va_list args;
  long length;
  __builtin_va_start(args, format);
  length = vsnprintf(text + 2, sizeof(text) - 3, format, args);
  __builtin_va_end(args);
  if (length < 0) return;
  if (length > sizeof(text) - 4) length = sizeof(text) - 4;
  text[0] = 0x1f;
  text[1] = '0' + (level < 0 || level > 9 ? 3 : level);
  for (long i = 2; i < length + 2; i++) if (text[i] == '\\n') text[i] = ' ';
  text[length + 2] = '\\n';
  write(2, text, length + 3);
}

static void *api[9] = {
  get_property, get_property, get_metrics, get_metrics, log_print, log_check, log_check, get_property, log_check,
};

void *host_api(void *metrics) {
  metrics_context = metrics;
  return api;
}

static int shared = -1;

/* The pipes go where the plugin does not find them: what it prints belongs to the log, what it reads is empty. */
int take_over(int parent) {
  int asks, answers, nothing;
  int ignored[] = {1, 2, 13, 15};
  prctl(1, 9);
  if (getppid() != parent) _exit(0);
  for (int i = 0; i < 4; i++) signal(ignored[i], (void *)1);
  asks = fcntl(0, 1030, 10);
  answers = fcntl(1, 1030, 10);
  shared = fcntl(3, 1030, 10);
  close(3);
  nothing = open("/dev/null", 0);
  if (asks < 0 || answers < 0 || nothing < 0) return -1;
  fcntl(asks, 4, fcntl(asks, 3) & ~2048);
  fcntl(answers, 4, fcntl(answers, 3) & ~2048);
  fcntl(2, 4, fcntl(2, 3) & ~2048);
  dup2(nothing, 0);
  dup2(2, 1);
  return asks * 65536 + answers;
}

static int again(int fd, int events) {
  struct poll_entry entry = {fd, events, 0};
  int reason = *__errno_location();
  if (reason == 4) return 1;
  if (reason != 11) return 0;
  poll(&entry, 1, -1);
  return 1;
}

/* 1 when all of it was read, 0 at the end or a failure. */
int read_all(int fd, void *into, unsigned long length) {
  char *at = into;
  while (length > 0) {
    long got = read(fd, at, length);
    if (got > 0) { at += got; length -= got; }
    else if (got == 0 || !again(fd, 1)) return 0;
  }
  return 1;
}

int write_all(int fd, const void *from, unsigned long length) {
  const char *at = from;
  while (length > 0) {
    long put = write(fd, at, length);
    if (put >= 0) { at += put; length -= put; }
    else if (!again(fd, 4)) return 0;
  }
  return 1;
}

/* The memory that both processes have. The plugin may write to it, as to its host's own. */
void *map_shared(unsigned long length) {
  void *memory = mmap(0, length, 3, 1, shared, 0);
  return memory == (void *)-1 ? 0 : memory;
}

void *resize(void *memory, unsigned long length) { return realloc(memory, length); }
void release(void *memory) { free(memory); }
void leave(int status) { _exit(status); }
`;

const SYMBOLS = {
  bind: { args: ["ptr"], returns: "void" },
  host_api: { args: ["ptr"], returns: "ptr" },
  take_over: { args: ["i32"], returns: "i32" },
  read_all: { args: ["i32", "ptr", "u64"], returns: "i32" },
  write_all: { args: ["i32", "ptr", "u64"], returns: "i32" },
  map_shared: { args: ["u64"], returns: "ptr" },
  resize: { args: ["ptr", "u64"], returns: "ptr" },
  release: { args: ["ptr"], returns: "void" },
  leave: { args: ["i32"], returns: "void" },
} as const;

export type Native = ReturnType<typeof compileNative>["symbols"];

/** Compiles the native part. It is given to the compiler as memory, for machines where no folder is writable. */
export function compileNative() {
  const fd = memoryFile();
  try {
    writeSync(fd, SOURCE);
    const native = cc({
      source: `/proc/self/fd/${fd}`,
      symbols: SYMBOLS,
      flags: "-nostdlib",
    });
    native.symbols.bind(ptr(addressesOf(LIBC.map(([, name]) => name))));
    return native;
  } finally {
    closeSync(fd);
  }
}

function memoryFile(): number {
  const symbols = open({ memfd_create: { args: ["ptr", "u32"], returns: "i32" } });
  const fd = symbols.memfd_create(Buffer.from("host\0"), 1);
  if (fd < 0) throw new Error("the system gives no memory file");
  return fd;
}

function addressesOf(names: readonly string[]): BigUint64Array {
  const { dlsym } = open({ dlsym: { args: ["ptr", "ptr"], returns: "ptr" } });
  return BigUint64Array.from(names, (name) => {
    // No handle: whatever the process has loaded is searched.
    const address = dlsym(null, Buffer.from(`${name}\0`));
    if (address === null) throw new Error(`the C library has no ${name}`);
    return BigInt(address);
  });
}

/** Symbols of the C library that this executable is made for. Before glibc 2.34 `dlsym` had a library of its own. */
function open<const S extends Record<string, FFIFunction>>(symbols: S) {
  const machine = process.arch === "arm64" ? "aarch64" : "x86_64";
  const names = ["libc.so.6", "libdl.so.2", `libc.musl-${machine}.so.1`];
  for (const name of names) {
    try {
      return dlopen(name, symbols).symbols;
    } catch {
      // The next one, then.
    }
  }
  throw new Error(`none of ${names.join(", ")} is here`);
}
