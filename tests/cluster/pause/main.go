// Command pause holds a pod's namespaces open until it is told to end. As process 1 of a pod that shares its process
// namespace it would also have to reap orphans; no pod of the tests does.
package main

import (
	"os"
	"os/signal"
	"syscall"
)

func main() {
	end := make(chan os.Signal, 1)
	signal.Notify(end, syscall.SIGINT, syscall.SIGTERM)
	<-end
}
