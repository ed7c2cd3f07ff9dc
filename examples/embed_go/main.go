// Embed starts a container with limits, pauses, resumes and kills it.
//
//	go build && ./embed STATE_DIR [LIBEXEC_DIR]
package main

/*
#cgo pkg-config: sock
#include <stdlib.h>
#include "sock/sock.h"

// Go may not keep its own pointers in memory that it passes to C, so lists live in C's.
static const char **make_list(size_t count) { return calloc(count + 1, sizeof(char *)); }
static void set_item(const char **list, size_t at, const char *item) { list[at] = item; }
static void free_list(const char **list) {
	for (size_t at = 0; list[at] != NULL; ++at) free((void *)list[at]);
	free(list);
}
*/
import "C"

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"unsafe"
)

// try calls a function of sock.h, and makes an error of Go from its C one.
func try(call func(cause **C.sock_error) C.int) error {
	var cause *C.sock_error
	if call(&cause) == 0 {
		return nil
	}
	defer C.sock_error_free(cause)
	return errors.New(C.GoString(C.sock_error_message(cause)))
}

func list(items ...string) **C.char {
	made := C.make_list(C.size_t(len(items)))
	for at, item := range items {
		C.set_item(made, C.size_t(at), C.CString(item))
	}
	return made
}

func open(stateDir, libexecDir string) (*C.sock_host, error) {
	options := C.sock_host_options{size: C.sizeof_sock_host_options}
	options.state_dir = C.CString(stateDir)
	defer C.free(unsafe.Pointer(options.state_dir))
	options.libexec_dir = C.CString(libexecDir)
	defer C.free(unsafe.Pointer(options.libexec_dir))
	var host *C.sock_host
	err := try(func(cause **C.sock_error) C.int { return C.sock_host_open(&options, &host, cause) })
	return host, err
}

func create(host *C.sock_host, name string, argv ...string) (*C.sock_container, error) {
	spec := C.sock_container_spec{size: C.sizeof_sock_container_spec}
	spec.name = C.CString(name)
	defer C.free(unsafe.Pointer(spec.name))
	spec.rootfs_base = C.CString(C.SOCK_HOST_IMAGE)
	defer C.free(unsafe.Pointer(spec.rootfs_base))
	spec.argv = list(argv...)
	defer C.free_list(spec.argv)
	spec.limits.memory_max = 64 << 20
	spec.limits.pids_max = 16
	var container *C.sock_container
	err := try(func(cause **C.sock_error) C.int {
		return C.sock_container_create(host, &spec, &container, cause)
	})
	return container, err
}

func run(host *C.sock_host) error {
	container, err := create(host, "sleeper", "/bin/sleep", "60")
	if err != nil {
		return err
	}
	defer C.sock_container_free(container)
	status := C.sock_exit_status{size: C.sizeof_sock_exit_status}
	steps := []struct {
		done string
		call func(cause **C.sock_error) C.int
	}{
		{"paused", func(cause **C.sock_error) C.int { return C.sock_container_pause(container, cause) }},
		{"resumed", func(cause **C.sock_error) C.int { return C.sock_container_resume(container, cause) }},
		{"killed", func(cause **C.sock_error) C.int { return C.sock_container_kill(container, cause) }},
		{"waited for", func(cause **C.sock_error) C.int {
			return C.sock_container_wait(container, &status, cause)
		}},
	}
	fmt.Println("started")
	for _, step := range steps {
		if err := try(step.call); err != nil {
			return err
		}
		fmt.Println(step.done)
	}
	if syscall.Signal(status.value) != syscall.SIGKILL {
		return errors.New("it ended in another way")
	}
	return nil
}

func main() {
	if len(os.Args) < 2 {
		os.Exit(2)
	}
	host, err := open(os.Args[1], append(os.Args, "")[2])
	if err == nil {
		err = run(host)
		C.sock_host_close(host)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "embed:", err)
		os.Exit(1)
	}
}
