// An input that emits numbered records, and speaks through the host's own log.
package main

/*
#include <stdlib.h>

struct api {
	const char *(*output_get_property)(const char *, void *);
	const char *(*input_get_property)(const char *, void *);
	void *(*output_get_cmt_instance)(void *);
	void *(*input_get_cmt_instance)(void *);
	void (*log_print)(int, const char *, int, const char *, ...);
	int (*input_log_check)(void *, int);
};

struct plugin {
	char *name;
	struct api *api;
	void *instance;
	void *context;
};

static void say(void *at, int level, const char *text, int number) {
	struct plugin *plugin = at;
	if (plugin->api->input_log_check(plugin->instance, level)) {
		plugin->api->log_print(level, NULL, 0, "%s, %d of them", text, number);
	}
}
*/
import "C"
import (
	"strconv"
	"time"
	"unsafe"

	"github.com/fluent/fluent-bit-go/input"
)

var (
	next    int
	count   int
	perCall int
	fault   string
	calls   int
)

//export FLBPluginRegister
func FLBPluginRegister(def unsafe.Pointer) int {
	return input.FLBPluginRegister(def, "numbers", "Emits numbered records")
}

//export FLBPluginInit
func FLBPluginInit(plugin unsafe.Pointer) int {
	count, _ = strconv.Atoi(input.FLBPluginConfigKey(plugin, "count"))
	perCall, _ = strconv.Atoi(input.FLBPluginConfigKey(plugin, "per_call"))
	fault = input.FLBPluginConfigKey(plugin, "fault")
	text := C.CString("numbers are coming")
	done := make(chan bool)
	// Plugins log from any thread.
	go func() {
		C.say(plugin, 2, text, C.int(count))
		done <- true
	}()
	<-done
	C.free(unsafe.Pointer(text))
	return input.FLB_OK
}

//export FLBPluginInputCallback
func FLBPluginInputCallback(data *unsafe.Pointer, size *C.size_t) int {
	calls++
	if calls == 2 {
		switch fault {
		case "panic":
			panic("lost the connection")
		case "garbage":
			*data = C.CBytes([]byte{0xc1, 0xff, 0x00})
			*size = 3
			return input.FLB_OK
		case "wait":
			select {}
		case "spin":
			for {
			}
		}
	}
	packed := []byte{}
	for i := 0; i < perCall && next < count; i++ {
		record := map[string]interface{}{
			"n": next, "text": "número", "half": 0.5, "yes": true, "none": nil, "list": []int{1, -1},
			"map": map[string]interface{}{"large": int64(1) << 60},
		}
		event := []interface{}{input.FLBTime{Time: time.Unix(1700000000+int64(next), 5)}, record}
		encoded, err := input.NewEncoder().Encode(event)
		if err != nil {
			return input.FLB_ERROR
		}
		packed = append(packed, encoded...)
		next++
	}
	if len(packed) > 0 {
		*data = C.CBytes(packed)
		*size = C.size_t(len(packed))
	}
	return input.FLB_OK
}

//export FLBPluginInputCleanupCallback
func FLBPluginInputCleanupCallback(data unsafe.Pointer) int {
	C.free(data)
	return input.FLB_OK
}

//export FLBPluginExit
func FLBPluginExit() int { return input.FLB_OK }

func main() {}
