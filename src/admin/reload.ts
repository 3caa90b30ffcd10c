import type { Context } from "hono";

/** How the HTTP server has the configuration reloaded. */
export interface ReloadControl {
  /** Reloads so far. */
  readonly count: number;
  /** The configuration allows it over HTTP. */
  readonly isEnabled: boolean;
  request(): Promise<{ readonly problems: readonly string[]; readonly isStopping: boolean }>;
}

/** GET: how often it was done, as in Fluent Bit. */
export function reloadCount(c: Context, { count }: ReloadControl): Response {
  return c.json({ hot_reload_count: count });
}

/** POST and PUT: answers when it is done, or when it is known why not. */
export async function reload(c: Context, control: ReloadControl): Promise<Response> {
  if (!control.isEnabled) {
    const error = "add hot_reload: on to service, or send SIGHUP";
    return c.json({ reload: "not enabled", status: -1, error }, 400);
  }
  const { problems, isStopping } = await control.request();
  if (isStopping) return c.json({ reload: "stopping", status: -1 }, 503);
  if (problems.length > 0) return c.json({ reload: "failed", status: -1, problems }, 400);
  return c.json({ reload: "done", status: 0 });
}
