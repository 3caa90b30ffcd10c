import { eventually } from "./eventually.ts";
import { parseExposition } from "./exposition.ts";

type Labels = Readonly<Record<string, string>>;

/** The value of one series of a running program, NaN when it has none. `name` has no `fluentbit_` prefix. */
export async function metric(url: string, name: string, labels: Labels): Promise<number> {
  const text = await (await fetch(`${url}/api/v2/metrics/prometheus`)).text();
  const samples = parseExposition(text).get(`fluentbit_${name}`)?.samples ?? [];
  return samples.find((sample) => Bun.deepEquals(sample.labels, labels))?.value ?? NaN;
}

/** Waits until a series has a value. */
export async function untilMetric(
  url: string,
  name: string,
  labels: Labels,
  holds: (value: number) => boolean,
): Promise<void> {
  let value = NaN;
  await untilAnswer(
    async () => holds(value = await metric(url, name, labels)),
    () => `${name}${JSON.stringify(labels)}; the value is ${value}`,
  );
}

/** Asks again and again, one question at a time, until the answer is yes. */
export async function untilAnswer(
  ask: () => Promise<boolean>,
  describe: () => string,
): Promise<void> {
  let yes = false;
  let failure: unknown;
  let asking: Promise<void> | undefined;
  const again = () => {
    asking = ask().then((answer) => void (yes = answer), (error) => void (failure = error))
      .finally(() => asking = undefined);
  };
  await eventually(() => {
    if (!yes && failure === undefined && asking === undefined) again();
    return yes || failure !== undefined;
  }, describe);
  if (failure !== undefined) throw failure;
}
