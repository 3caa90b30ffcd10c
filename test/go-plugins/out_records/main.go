// An output with contexts, any number of instances: writes records as JSON lines to a file, and fails as its
// options say.
package main

import (
	"C"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"time"
	"unsafe"

	"github.com/fluent/fluent-bit-go/output"
)

type instance struct {
	id      string
	file    *os.File
	fault   string
	faultAt int
	times   int
	flushes int
	exitLog string
}

type line struct {
	Instance string                 `json:"instance"`
	Tag      string                 `json:"tag"`
	Sec      int64                  `json:"sec"`
	Nsec     int                    `json:"nsec"`
	Record   map[string]interface{} `json:"record"`
}

//export FLBPluginRegister
func FLBPluginRegister(def unsafe.Pointer) int {
	return output.FLBPluginRegister(def, "records", "Writes records as JSON lines")
}

//export FLBPluginInit
func FLBPluginInit(plugin unsafe.Pointer) int {
	option := func(key string) string { return output.FLBPluginConfigKey(plugin, key) }
	id := option("Id")
	switch option("init") {
	case "fail":
		fmt.Fprintln(os.Stderr, "cannot log in: no such user")
		return output.FLB_ERROR
	case "panic":
		panic("no configuration")
	case "hang":
		select {}
	}
	path := make(chan string)
	// A plugin may ask from any thread.
	go func() { path <- option("PATH") }()
	file, err := os.OpenFile(<-path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return output.FLB_ERROR
	}
	faultAt, _ := strconv.Atoi(option("fault_at"))
	times, _ := strconv.Atoi(option("times"))
	output.FLBPluginSetContext(plugin, &instance{
		id: id, file: file, fault: option("fault"), faultAt: faultAt, times: times, exitLog: option("exit_log"),
	})
	fmt.Printf("instance %s is ready\n", id)
	return output.FLB_OK
}

//export FLBPluginFlushCtx
func FLBPluginFlushCtx(ctx, data unsafe.Pointer, length C.int, tag *C.char) int {
	own := output.FLBPluginGetContext(ctx).(*instance)
	own.flushes++
	if own.fault != "" && own.flushes >= own.faultAt && own.flushes < own.faultAt+own.times {
		switch own.fault {
		case "panic":
			var nothing *instance
			return nothing.flushes
		case "retry":
			return output.FLB_RETRY
		case "error":
			return output.FLB_ERROR
		case "exit":
			os.Exit(3)
		case "hang":
			time.Sleep(time.Hour)
		case "spin":
			for {
			}
		}
	}
	text := []byte{}
	decoder := output.NewDecoder(data, int(length))
	for {
		status, stamp, record := output.GetRecord(decoder)
		if status == -1 {
			break
		}
		if status != 0 {
			fmt.Fprintf(os.Stderr, "cannot decode a record: %d\n", status)
			return output.FLB_ERROR
		}
		at := stamp.(output.FLBTime)
		encoded, err := json.Marshal(line{own.id, C.GoString(tag), at.Unix(), at.Nanosecond(), textual(record)})
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return output.FLB_ERROR
		}
		text = append(append(text, encoded...), '\n')
	}
	if _, err := own.file.Write(text); err != nil {
		return output.FLB_RETRY
	}
	return output.FLB_OK
}

func textual(value map[interface{}]interface{}) map[string]interface{} {
	out := map[string]interface{}{}
	for key, item := range value {
		out[fmt.Sprintf("%s", key)] = plain(item)
	}
	return out
}

func plain(value interface{}) interface{} {
	switch typed := value.(type) {
	case []byte:
		return string(typed)
	case map[interface{}]interface{}:
		return textual(typed)
	case []interface{}:
		out := make([]interface{}, len(typed))
		for i, item := range typed {
			out[i] = plain(item)
		}
		return out
	}
	return value
}

//export FLBPluginExitCtx
func FLBPluginExitCtx(ctx unsafe.Pointer) int {
	own := output.FLBPluginGetContext(ctx).(*instance)
	if own.fault == "exit_hang" {
		select {}
	}
	own.file.Close()
	if own.exitLog != "" {
		log, _ := os.OpenFile(own.exitLog, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
		fmt.Fprintln(log, own.id)
		log.Close()
	}
	return output.FLB_OK
}

//export FLBPluginUnregister
func FLBPluginUnregister(def unsafe.Pointer) { output.FLBPluginUnregister(def) }

func main() {}
