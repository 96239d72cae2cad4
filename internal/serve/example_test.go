package serve_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/signal"
	"time"

	"oneshot/internal/serve"
)

// A server of the runs in the folder runs, until Ctrl-C.
func Example() {
	s, err := serve.New(serve.Options{Path: "runs", Now: time.Now, Every: every})
	if err != nil {
		fmt.Println(err)
		return
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	fmt.Println(s.Address(l.Addr()))
	if err := s.Serve(ctx, l); err != nil {
		fmt.Println(err)
	}
}

// every calls f about every d until ctx ends or f returns false.
func every(ctx context.Context, d time.Duration, f func() bool) {
	for range time.Tick(d) {
		if ctx.Err() != nil || !f() {
			return
		}
	}
}
