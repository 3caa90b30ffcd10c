// An output that only counts records, for comparing what their way to a plugin costs.
package main

import (
	"C"
	"fmt"
	"os"
	"unsafe"

	"github.com/fluent/fluent-bit-go/output"
)

var (
	path    string
	decode  bool
	flushes int
	bytes   int64
	records int64
)

//export FLBPluginRegister
func FLBPluginRegister(def unsafe.Pointer) int {
	return output.FLBPluginRegister(def, "count", "Counts records")
}

//export FLBPluginInit
func FLBPluginInit(plugin unsafe.Pointer) int {
	path = output.FLBPluginConfigKey(plugin, "path")
	decode = output.FLBPluginConfigKey(plugin, "decode") == "on"
	return output.FLB_OK
}

//export FLBPluginFlushCtx
func FLBPluginFlushCtx(ctx, data unsafe.Pointer, length C.int, tag *C.char) int {
	flushes++
	bytes += int64(length)
	if decode {
		decoder := output.NewDecoder(data, int(length))
		for {
			if status, _, _ := output.GetRecord(decoder); status != 0 {
				break
			}
			records++
		}
	}
	return output.FLB_OK
}

//export FLBPluginExit
func FLBPluginExit() int {
	text := fmt.Sprintf("flushes %d bytes %d records %d\n", flushes, bytes, records)
	os.WriteFile(path, []byte(text), 0o644)
	return output.FLB_OK
}

func main() {}
