// An output of the oldest form, without contexts. What it registers as can be changed when it is linked.
package main

import (
	"C"
	"fmt"
	"os"
	"unsafe"

	"github.com/fluent/fluent-bit-go/output"
)

var (
	name     = "plain"
	register = ""
	path     string
)

//export FLBPluginRegister
func FLBPluginRegister(def unsafe.Pointer) int {
	switch register {
	case "fail":
		fmt.Println("the license has run out")
		return -1
	case "panic":
		panic("no license")
	case "hang":
		select {}
	case "type":
		*(*int32)(def) = 3
		return 0
	case "nothing":
		return 0
	}
	return output.FLBPluginRegister(def, name, "Counts flushes")
}

//export FLBPluginInit
func FLBPluginInit(plugin unsafe.Pointer) int {
	path = output.FLBPluginConfigKey(plugin, "path")
	return output.FLB_OK
}

//export FLBPluginFlush
func FLBPluginFlush(data unsafe.Pointer, length C.int, tag *C.char) int {
	return note(fmt.Sprintf("flush %s %v", C.GoString(tag), length > 0))
}

//export FLBPluginExit
func FLBPluginExit() int {
	return note("exit")
}

func note(text string) int {
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return output.FLB_RETRY
	}
	defer file.Close()
	fmt.Fprintln(file, text)
	return output.FLB_OK
}

func main() {}
