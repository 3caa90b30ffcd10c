/**
 * What a plugin's tests mostly use of `bun:test`, for folders without npm's `@types/bun`, which has everything. A
 * test file type-checks against this in test/testing/sdk-types.test.ts.
 */
export const BUN_TEST_TYPES = `declare module "bun:test" {
  type Work = (done: (error?: unknown) => void) => void | Promise<unknown>;
  interface Test {
    (name: string, run: Work, timeoutMs?: number | { timeout?: number }): void;
    only: Test;
    skip: Test;
    todo: (name: string, run?: Work) => void;
    if(condition: boolean): Test;
    skipIf(condition: boolean): Test;
    each<T>(cases: readonly T[]): (
      name: string,
      run: (...args: T extends readonly unknown[] ? T : [T]) => void | Promise<unknown>,
      timeoutMs?: number,
    ) => void;
  }
  interface Describe {
    (name: string, define: () => void): void;
    only: Describe;
    skip: Describe;
  }
  /** Defines a test. A rejected promise or a throw makes it fail. */
  export const test: Test;
  export const it: Test;
  /** Groups tests under a name. */
  export const describe: Describe;
  export function beforeAll(run: Work): void;
  export function beforeEach(run: Work): void;
  export function afterAll(run: Work): void;
  export function afterEach(run: Work): void;
  export function setDefaultTimeout(ms: number): void;

  type MaybePromise<T, Async> = Async extends true ? Promise<T> : T;
  interface Matchers<T, Async = false> {
    readonly not: Matchers<T, Async>;
    readonly resolves: Matchers<Awaited<T>, true>;
    readonly rejects: Matchers<unknown, true>;
    toBe(expected: unknown): MaybePromise<void, Async>;
    toEqual(expected: unknown): MaybePromise<void, Async>;
    toStrictEqual(expected: unknown): MaybePromise<void, Async>;
    toMatchObject(expected: object): MaybePromise<void, Async>;
    toMatch(expected: string | RegExp): MaybePromise<void, Async>;
    toContain(expected: unknown): MaybePromise<void, Async>;
    toContainEqual(expected: unknown): MaybePromise<void, Async>;
    toHaveLength(length: number): MaybePromise<void, Async>;
    toHaveProperty(path: string | readonly string[], value?: unknown): MaybePromise<void, Async>;
    toThrow(expected?: string | RegExp | Error | (new (...args: never[]) => Error)): MaybePromise<void, Async>;
    toBeDefined(): MaybePromise<void, Async>;
    toBeUndefined(): MaybePromise<void, Async>;
    toBeNull(): MaybePromise<void, Async>;
    toBeTrue(): MaybePromise<void, Async>;
    toBeFalse(): MaybePromise<void, Async>;
    toBeTruthy(): MaybePromise<void, Async>;
    toBeFalsy(): MaybePromise<void, Async>;
    toBeGreaterThan(value: number | bigint): MaybePromise<void, Async>;
    toBeGreaterThanOrEqual(value: number | bigint): MaybePromise<void, Async>;
    toBeLessThan(value: number | bigint): MaybePromise<void, Async>;
    toBeLessThanOrEqual(value: number | bigint): MaybePromise<void, Async>;
    toBeCloseTo(value: number, digits?: number): MaybePromise<void, Async>;
    toBeInstanceOf(type: new (...args: never[]) => unknown): MaybePromise<void, Async>;
    toHaveBeenCalled(): MaybePromise<void, Async>;
    toHaveBeenCalledTimes(times: number): MaybePromise<void, Async>;
    toHaveBeenCalledWith(...args: unknown[]): MaybePromise<void, Async>;
    toMatchSnapshot(hint?: string): MaybePromise<void, Async>;
    toMatchInlineSnapshot(text?: string): MaybePromise<void, Async>;
  }
  interface Expect {
    <T>(value: T): Matchers<T>;
    any(type: unknown): unknown;
    anything(): unknown;
    objectContaining(expected: object): unknown;
    arrayContaining(expected: readonly unknown[]): unknown;
    stringContaining(expected: string): unknown;
    stringMatching(expected: string | RegExp): unknown;
    fail(message?: string): never;
  }
  /** Says what a value should be: \`expect(value).toEqual(expected)\`. */
  export const expect: Expect;

  type Mock<F extends (...args: never[]) => unknown> = F & {
    readonly mock: { readonly calls: Parameters<F>[]; readonly results: { value: unknown }[] };
    mockImplementation(call: F): Mock<F>;
    mockReturnValue(value: ReturnType<F>): Mock<F>;
    mockClear(): void;
    mockRestore(): void;
  };
  /** A function that remembers its calls. */
  export function mock<F extends (...args: never[]) => unknown>(call?: F): Mock<F>;
  export function spyOn<T extends object, K extends keyof T>(
    object: T,
    name: K,
  ): Mock<T[K] extends (...args: never[]) => unknown ? T[K] : never>;
}
`;
