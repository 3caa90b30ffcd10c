import type { ShippedParser } from "./shipped-parser.ts";
import { SHIPPED_PARSERS_OF_PRODUCTS } from "./shipped-parsers-of-products.ts";

/** The parsers that everybody has without a parsers file, under the names that Fluent Bit ships them with. */
export const SHIPPED_PARSERS: readonly ShippedParser[] = [
  {
    name: "apache",
    format: "regex",
    regex: String
      .raw`^(?<host>[^ ]*) [^ ]* (?<user>[^ ]*) \[(?<time>[^\]]*)\] "(?<method>\S+)(?: +(?<path>[^\"]*?)(?: +\S*)?)?" (?<code>[^ ]*) (?<size>[^ ]*)(?: "(?<referer>[^\"]*)" "(?<agent>[^\"]*)")?$`,
    time_key: "time",
    time_format: "%d/%b/%Y:%H:%M:%S %z",
  },
  {
    name: "apache2",
    format: "regex",
    regex: String
      .raw`^(?<host>[^ ]*) [^ ]* (?<user>[^ ]*) \[(?<time>[^\]]*)\] "(?<method>\S+)(?: +(?<path>[^ ]*) +\S*)?" (?<code>[^ ]*) (?<size>[^ ]*)(?: "(?<referer>[^\"]*)" "(?<agent>.*)")?$`,
    time_key: "time",
    time_format: "%d/%b/%Y:%H:%M:%S %z",
  },
  {
    name: "apache_error",
    format: "regex",
    regex: String
      .raw`^\[[^ ]* (?<time>[^\]]*)\] \[(?<level>[^\]]*)\](?: \[pid (?<pid>[^\]]*)\])?( \[client (?<client>[^\]]*)\])? (?<message>.*)$`,
  },
  {
    name: "nginx",
    format: "regex",
    regex: String
      .raw`^(?<remote>[^ ]*) (?<host>[^ ]*) (?<user>[^ ]*) \[(?<time>[^\]]*)\] "(?<method>\S+)(?: +(?<path>[^\"]*?)(?: +\S*)?)?" (?<code>[^ ]*) (?<size>[^ ]*)(?: "(?<referer>[^\"]*)" "(?<agent>[^\"]*)")`,
    time_key: "time",
    time_format: "%d/%b/%Y:%H:%M:%S %z",
  },
  {
    name: "k8s-nginx-ingress",
    format: "regex",
    regex: String
      .raw`^(?<host>[^ ]*) - (?<user>[^ ]*) \[(?<time>[^\]]*)\] "(?<method>\S+)(?: +(?<path>[^\"]*?)(?: +\S*)?)?" (?<code>[^ ]*) (?<size>[^ ]*) "(?<referer>[^\"]*)" "(?<agent>[^\"]*)" (?<request_length>[^ ]*) (?<request_time>[^ ]*) \[(?<proxy_upstream_name>[^ ]*)\] (\[(?<proxy_alternative_upstream_name>[^ ]*)\] )?(?<upstream_addr>[^ ]*) (?<upstream_response_length>[^ ]*) (?<upstream_response_time>[^ ]*) (?<upstream_status>[^ ]*) (?<reg_id>[^ ]*).*$`,
    time_key: "time",
    time_format: "%d/%b/%Y:%H:%M:%S %z",
  },
  {
    name: "json",
    format: "json",
    time_key: "time",
    time_format: "%d/%b/%Y:%H:%M:%S %z",
  },
  {
    name: "logfmt",
    format: "logfmt",
  },
  {
    name: "docker",
    format: "json",
    time_key: "time",
    time_format: "%Y-%m-%dT%H:%M:%S.%L",
    time_keep: "On",
  },
  {
    name: "docker-daemon",
    format: "regex",
    regex: 'time="(?<time>[^ ]*)" level=(?<level>[^ ]*) msg="(?<msg>[^ ].*)"',
    time_key: "time",
    time_format: "%Y-%m-%dT%H:%M:%S.%L",
    time_keep: "On",
  },
  {
    name: "syslog-rfc5424",
    format: "regex",
    regex: String
      .raw`^\<(?<pri>[0-9]{1,5})\>1 (?<time>[^ ]+) (?<host>[^ ]+) (?<ident>[^ ]+) (?<pid>[-0-9]+) (?<msgid>[^ ]+) (?<extradata>(\[(.*?)\]|-)) (?<message>.+)$`,
    time_key: "time",
    time_format: "%Y-%m-%dT%H:%M:%S.%L%z",
    time_keep: "On",
  },
  {
    name: "syslog-rfc3164-local",
    format: "regex",
    regex: String
      .raw`^\<(?<pri>[0-9]+)\>(?<time>[^ ]* {1,2}[^ ]* [^ ]*) (?<ident>[a-zA-Z0-9_\/\.\-]*)(?:\[(?<pid>[0-9]+)\])?(?:[^\:]*\:)? *(?<message>.*)$`,
    time_key: "time",
    time_format: "%b %d %H:%M:%S",
    time_keep: "On",
  },
  {
    name: "syslog-rfc3164",
    format: "regex",
    regex: String
      .raw`/^\<(?<pri>[0-9]+)\>(?<time>[^ ]* {1,2}[^ ]* [^ ]*) (?<host>[^ ]*) (?<ident>[a-zA-Z0-9_\/\.\-]*)(?:\[(?<pid>[0-9]+)\])?(?:[^\:]*\:)? *(?<message>.*)$/`,
    time_key: "time",
    time_format: "%b %d %H:%M:%S",
    time_keep: "On",
  },
  {
    name: "mongodb",
    format: "regex",
    regex: String
      .raw`^(?<time>[^ ]*)\s+(?<severity>\w)\s+(?<component>[^ ]+)\s+\[(?<context>[^\]]+)]\s+(?<message>.*?) *(?<ms>(\d+))?(:?ms)?$`,
    time_key: "time",
    time_format: "%Y-%m-%dT%H:%M:%S.%L",
    time_keep: "On",
  },
  {
    name: "envoy",
    format: "regex",
    regex: String
      .raw`^\[(?<start_time>[^\]]*)\] "(?<method>\S+)(?: +(?<path>[^\"]*?)(?: +\S*)?)? (?<protocol>\S+)" (?<code>[^ ]*) (?<response_flags>[^ ]*) (?<bytes_received>[^ ]*) (?<bytes_sent>[^ ]*) (?<duration>[^ ]*) (?<x_envoy_upstream_service_time>[^ ]*) "(?<x_forwarded_for>[^ ]*)" "(?<user_agent>[^\"]*)" "(?<request_id>[^\"]*)" "(?<authority>[^ ]*)" "(?<upstream_host>[^ ]*)"`,
    time_key: "start_time",
    time_format: "%Y-%m-%dT%H:%M:%S.%L%z",
    time_keep: "On",
  },
  {
    name: "istio-envoy-proxy",
    format: "regex",
    regex: String
      .raw`^\[(?<start_time>[^\]]*)\] "(?<method>\S+)(?: +(?<path>[^\"]*?)(?: +\S*)?)? (?<protocol>\S+)" (?<response_code>[^ ]*) (?<response_flags>[^ ]*) (?<response_code_details>[^ ]*) (?<connection_termination_details>[^ ]*) "(?<upstream_transport_failure_reason>[^ ]*)" (?<bytes_received>[^ ]*) (?<bytes_sent>[^ ]*) (?<duration>[^ ]*) (?<x_envoy_upstream_service_time>[^ ]*) "(?<x_forwarded_for>[^ ]*)" "(?<user_agent>[^\"]*)" "(?<x_request_id>[^\"]*)" "(?<authority>[^ ]*)" "(?<upstream_host>[^ ]*)" (?<upstream_cluster>[^ ]*) (?<upstream_local_address>[^ ]*) (?<downstream_local_address>[^ ]*) (?<downstream_remote_address>[^ ]*) (?<requested_server_name>[^ ]*) (?<route_name>[^  ]*)$`,
    time_key: "start_time",
    time_format: "%Y-%m-%dT%H:%M:%S.%L%z",
    time_keep: "On",
  },
  {
    name: "cri",
    format: "regex",
    regex: "^(?<time>[^ ]+) (?<stream>stdout|stderr) (?<logtag>[^ ]*) (?<message>.*)$",
    time_key: "time",
    time_format: "%Y-%m-%dT%H:%M:%S.%L%z",
    time_keep: "On",
  },
  {
    name: "kube-custom",
    format: "regex",
    regex: String
      .raw`(?<tag>[^.]+)?\.?(?<pod_name>[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*)_(?<namespace_name>[^_]+)_(?<container_name>.+)-(?<docker_id>[a-z0-9]{64})\.log$`,
  },
  {
    name: "kmsg-netfilter-log",
    format: "regex",
    regex: String
      .raw`^\<(?<pri>[0-9]{1,5})\>1 (?<time>[^ ]+) (?<host>[^ ]+) kernel - - - \[[0-9\.]*\] (?<logprefix>[^ ]*)\s?IN=(?<in>[^ ]*) OUT=(?<out>[^ ]*) MAC=(?<macsrc>[0-9a-f]{2}:[0-9a-f]{2}:[0-9a-f]{2}:[0-9a-f]{2}:[0-9a-f]{2}:[0-9a-f]{2}):(?<macdst>[0-9a-f]{2}:[0-9a-f]{2}:[0-9a-f]{2}:[0-9a-f]{2}:[0-9a-f]{2}:[0-9a-f]{2}):(?<ethtype>[0-9a-f]{2}:[0-9a-f]{2}) SRC=(?<saddr>[^ ]*) DST=(?<daddr>[^ ]*) LEN=(?<len>[^ ]*) TOS=(?<tos>[^ ]*) PREC=(?<prec>[^ ]*) TTL=(?<ttl>[^ ]*) ID=(?<id>[^ ]*) (D*F*)\s*PROTO=(?<proto>[^ ]*)\s?((SPT=)?(?<sport>[0-9]*))\s?((DPT=)?(?<dport>[0-9]*))\s?((LEN=)?(?<protolen>[0-9]*))\s?((WINDOW=)?(?<window>[0-9]*))\s?((RES=)?(?<res>0?x?[0-9]*))\s?(?<flag>[^ ]*)\s?((URGP=)?(?<urgp>[0-9]*))`,
    time_key: "time",
    time_format: "%Y-%m-%dT%H:%M:%S.%L%z",
  },
  ...SHIPPED_PARSERS_OF_PRODUCTS,
];
