import { field, kubeApiFields, refusedFields } from "logcollector/plugin";
import * as z from "zod";

const WITHOUT_EFFECT = "Accepted, without effect: ";
const NO_REQUESTS = `${WITHOUT_EFFECT}metadata is kept up to date by a watch`;

export const config = z.object({
  node_name: field.text().optional().describe(
    "Node whose pods are watched. Default: the environment's NODE_NAME or KUBERNETES_NODE_NAME, else the node of the pod that the collector runs in",
  ),
  ...kubeApiFields(),
  kube_tag_prefix: field.text().default("kube.var.log.containers.")
    .describe("Start of the tag, in front of the name of the container's log file"),
  regex_parser: field.text().optional().describe(
    "Regex parser for the tag behind kube_tag_prefix, with the captures pod_name, namespace_name, container_name and docker_id",
  ),
  use_journal: field.bool().default(false)
    .describe("Takes the container from the field CONTAINER_NAME of journal entries"),
  use_tag_for_meta: field.bool().default(false)
    .describe("Adds only what the tag says: nobody is asked"),
  labels: field.bool().default(true).describe("Adds the pod's labels"),
  annotations: field.bool().default(true).describe("Adds the pod's annotations"),
  owner_references: field.bool().default(false)
    .describe("Adds what the pod belongs to, as ownerReferences"),
  namespace_labels: field.bool().default(false)
    .describe("Adds the namespace's labels, in kubernetes_namespace"),
  namespace_annotations: field.bool().default(false)
    .describe("Adds the namespace's annotations, in kubernetes_namespace"),
  namespace_metadata_only: field.bool().default(false)
    .describe("Adds nothing of the pod; nobody is asked for pods"),
  merge_log: field.bool().default(false)
    .describe("Makes fields of what the field log holds: JSON, or what a parser takes"),
  merge_log_key: field.text().optional().describe("Field that gets those fields as a map"),
  merge_log_trim: field.bool().default(true)
    .describe("Takes line breaks off the end of texts that are made fields"),
  merge_parser: field.text().optional().describe("Parser of the field log, in place of JSON"),
  keep_log: field.bool().default(true).describe("Keeps the field log when fields were made of it"),
  "k8s-logging.parser": field.bool().default(false)
    .describe("Lets pods name a parser in the annotation fluentbit.io/parser"),
  "k8s-logging.exclude": field.bool().default(false)
    .describe("Lets pods leave their logs out with the annotation fluentbit.io/exclude"),
  use_kubelet: field.bool().default(false)
    .describe("Asks the node's kubelet for pods in place of the API server"),
  kubelet_host: field.text().default("127.0.0.1").describe("Name or address of the kubelet"),
  kubelet_port: field.int({ min: 1, max: 65535 }).default(10250).describe("Port of the kubelet"),
  kubelet_poll_interval: field.duration().default(60_000).describe(
    "Time between two questions to the kubelet; a pod that is not known yet makes it ask at once",
  ),
  kube_meta_wait: field.duration().default(3000).describe(
    "Time that the first records of a new container may wait for its metadata; 0 never waits",
  ),
  kube_meta_deleted_ttl: field.duration().default(600_000)
    .describe("Time for which the metadata of a deleted pod is kept for its last lines"),
  kube_meta_preload_cache_dir: field.text().optional().describe(
    "Folder with metadata in files, NAMESPACE_POD.meta and NAMESPACE.namespace_meta, which count first",
  ),
  dummy_meta: field.bool().default(false).describe("Adds the present time in place of metadata"),
  cache_use_docker_id: field.bool().default(false)
    .describe(`${WITHOUT_EFFECT}a container's metadata always is that of its id`),
  kube_meta_cache_ttl: field.duration().default(0).describe(NO_REQUESTS),
  kube_meta_namespace_cache_ttl: field.duration().default(900_000).describe(NO_REQUESTS),
  kube_namespace_file: field.text()
    .default("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
    .describe("File with the namespace of the pod that the collector runs in"),
  buffer_size: field.size().default(32_000)
    .describe(`${WITHOUT_EFFECT}answers are read piece by piece`),
  dns_retries: field.int().default(6)
    .describe(`${WITHOUT_EFFECT}connections are tried again until one is there`),
  dns_wait_time: field.duration().default(30_000)
    .describe(`${WITHOUT_EFFECT}pauses between attempts grow from 0.5 s to 30 s`),
  ...refusedFields("aws_use_pod_association", "use_pod_association"),
  ...ofPodAssociation(
    "aws_pod_association_host",
    "aws_pod_association_endpoint",
    "aws_pod_association_port",
    "aws_pod_service_map_ttl",
    "aws_pod_service_map_refresh_interval",
    "aws_pod_service_preload_cache_dir",
    "aws_pod_association_host_server_ca_file",
    "aws_pod_association_host_client_cert_file",
    "aws_pod_association_host_client_key_file",
    "aws_pod_association_host_tls_debug",
    "aws_pod_association_host_tls_verify",
    "set_platform",
  ),
});

export type KubernetesOptions = z.output<typeof config>;

/** Options that mean nothing without one that is refused. */
function ofPodAssociation<const K extends string>(...names: readonly K[]) {
  const type = field.text().optional()
    .describe(`${WITHOUT_EFFECT}it belongs to aws_use_pod_association`);
  return Object.fromEntries(names.map((name) => [name, type])) as Record<K, typeof type>;
}
