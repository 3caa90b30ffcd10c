/** The stack traces that are known by the name of their language: rules of `states`, `regex`, `nextState`. */
export const LANGUAGE_RULES: Readonly<
  Record<string, readonly (readonly [string, string, string])[]>
> = {
  java: [
    [
      "start_state, java_start_exception",
      String.raw`(.)(?:Exception|Error|Throwable|V8 errors stack trace)[:\r\n]`,
      "java_after_exception",
    ],
    ["java_after_exception", String.raw`^[\t ]*nested exception is:[\t ]*`, "java_start_exception"],
    ["java_after_exception", String.raw`^[\r\n]*$`, "java_after_exception"],
    ["java_after_exception, java", String.raw`^[\t ]+(?:eval )?at `, "java"],
    [
      "java_after_exception, java",
      String.raw`^[\t ]+--- End of inner exception stack trace ---$`,
      "java",
    ],
    [
      "java_after_exception, java",
      String
        .raw`^--- End of stack trace from previous (?x:)location where exception was thrown ---$`,
      "java",
    ],
    [
      "java_after_exception, java",
      String.raw`^[\t ]*(?:Caused by|Suppressed):`,
      "java_after_exception",
    ],
    [
      "java_after_exception, java",
      String.raw`^[\t ]*... \d+ (?:more|common frames omitted)`,
      "java",
    ],
  ],
  go: [
    ["start_state", String.raw`\bpanic: `, "go_after_panic"],
    ["start_state", "http: panic serving", "go_goroutine"],
    ["go_after_panic", "^$", "go_goroutine"],
    ["go_after_panic, go_after_signal, go_frame_1", "^$", "go_goroutine"],
    ["go_after_panic", String.raw`^\[signal `, "go_after_signal"],
    ["go_goroutine", String.raw`^goroutine \d+ \[[^\]]+\]:$`, "go_frame_1"],
    ["go_frame_1", String.raw`^(?:[^\s.:]+\.)*[^\s.():]+\(|^created by `, "go_frame_2"],
    ["go_frame_2", String.raw`^\s`, "go_frame_1"],
  ],
  python: [
    ["start_state", String.raw`^Traceback \(most recent call last\):$`, "python"],
    ["python", String.raw`^[\t ]+File `, "python_code"],
    ["python_code", String.raw`[^\t ]`, "python"],
    ["python", String.raw`^(?:[^\s.():]+\.)*[^\s.():]+:`, "start_state"],
  ],
  ruby: [
    ["start_state, ruby_start_exception", String.raw`^.+:\d+:in\s+.*`, "ruby_after_exception"],
    ["ruby_after_exception, ruby", String.raw`^\s+from\s+.*:\d+:in\s+.*`, "ruby"],
  ],
};
