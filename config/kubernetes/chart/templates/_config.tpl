{{- /* The files of the configuration, as the data of a ConfigMap. */ -}}
{{- define "logcollector.config" -}}
logcollector.yaml: |
  {{- $service := dict
    "flush" 1
    "grace" 20
    "storage.path" "/var/lib/logcollector"
    "http_server" "on"
    "http_listen" "0.0.0.0"
    "http_port" 2020
    "health_check" "on"
    "hc_period" 30 }}
  {{- dict "service" (mergeOverwrite $service .Values.service) "includes" (list "[0-9]*.yaml") | toYaml | nindent 2 }}
  {{- with .Values.parsers }}
  {{- dict "parsers" . | toYaml | nindent 2 }}
  {{- end }}
  {{- with .Values.multilineParsers }}
  {{- dict "multiline_parsers" . | toYaml | nindent 2 }}
  {{- end }}
{{- if .Values.containers.enabled }}
10-containers.yaml: |
  {{- $own := printf "/var/log/containers/%s-*_%s_*.log" (include "logcollector.fullname" .) .Release.Namespace }}
  {{- $tail := dict
    "name" "tail"
    "alias" "containers"
    "tag" "kube.*"
    "path" "/var/log/containers/*.log"
    "exclude_path" (prepend .Values.containers.exclude $own | join ", ") }}
  {{- $pipeline := dict "inputs" (list (mergeOverwrite $tail .Values.containers.options)) }}
  {{- if .Values.kubernetes.enabled }}
  {{- $filter := dict "name" "kubernetes" "alias" "kubernetes" "match" "kube.*" }}
  {{- $_ := set $pipeline "filters" (list (mergeOverwrite $filter .Values.kubernetes.options)) }}
  {{- end }}
  {{- dict "pipeline" $pipeline | toYaml | nindent 2 }}
{{- end }}
{{- if .Values.journald.enabled }}
20-journal.yaml: |
  {{- $systemd := dict "name" "systemd" "alias" "journal" "tag" "journal.*" }}
  {{- $node := dict "name" "record_modifier" "alias" "journal_node" "match" "journal.*" "record" "node ${NODE_NAME}" }}
  {{- dict "pipeline" (dict
    "inputs" (list (mergeOverwrite $systemd .Values.journald.options))
    "filters" (list $node)) | toYaml | nindent 2 }}
{{- end }}
{{- with .Values.inputs }}
40-inputs.yaml: |
  {{- dict "pipeline" (dict "inputs" .) | toYaml | nindent 2 }}
{{- end }}
{{- $folders := .Values.plugins.folders }}
{{- if .Values.plugins.files }}
{{- $folders = prepend $folders "/plugins" }}
{{- end }}
{{- if or $folders .Values.filters }}
50-plugins.yaml: |
  {{- $file := dict }}
  {{- if and .Values.plugins.files .Values.plugins.hotReload }}
  {{- $_ := set $file "service" (dict "hot_reload" "on") }}
  {{- end }}
  {{- with $folders }}
  {{- $_ := set $file "plugins" . }}
  {{- end }}
  {{- with .Values.filters }}
  {{- $_ := set $file "pipeline" (dict "filters" .) }}
  {{- end }}
  {{- toYaml $file | nindent 2 }}
{{- end }}
90-outputs.yaml: |
  {{- $outputs := .Values.outputs }}
  {{- with .Values.forward }}
  {{- if .enabled }}
  {{- $forward := dict
    "name" "forward"
    "alias" "aggregator"
    "match" "*"
    "host" (required "forward.host: set the name or address of your aggregator" .host)
    "port" .port
    "require_ack_response" "on"
    "self_hostname" "${NODE_NAME}"
    "compress" "gzip"
    "retain_metadata_in_forward_mode" "off"
    "storage.total_limit_size" "2G" }}
  {{- if .sharedKeySecret.name }}
  {{- $_ := set $forward "shared_key" "${FORWARD_SHARED_KEY}" }}
  {{- end }}
  {{- $outputs = append $outputs (mergeOverwrite $forward .options) }}
  {{- end }}
  {{- end }}
  {{- if not $outputs }}
  {{- $outputs = list (dict "name" "null" "alias" "nowhere" "match" "*" "storage.type" "memory") }}
  {{- end }}
  {{- dict "pipeline" (dict "outputs" $outputs) | toYaml | nindent 2 }}
{{- range $name, $text := .Values.extraFiles }}
{{ $name }}: |
  {{- $text | nindent 2 }}
{{- end }}
{{- end }}
