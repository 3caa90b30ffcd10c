import { basicAuthorization, defineOutput } from "logcollector/plugin";
import * as z from "zod";
import { bulkOutput } from "./bulk-output.ts";
import { cloudServer } from "./cloud.ts";
import { esFields } from "./config.ts";

export default defineOutput({
  name: "es",
  summary: "Sends records to Elasticsearch, many in one request.",
  config: z.object(esFields),
  create(config, ctx) {
    const { cloud_id: cloudId, cloud_auth: cloudAuth, http_api_key: key } = config;
    const server = cloudId === undefined ? {} : { ...cloudServer(cloudId), tls: true };
    return bulkOutput({ ...config, ...server }, ctx, {
      hasTemplate: false,
      authorization: key === undefined
        ? cloudAuth && basicAuthorization(cloudAuth)
        : `ApiKey ${key}`,
    });
  },
});
