// Command bench says whether a change made oneshot slower, larger or hungrier.
//
// What. `bench record` measures the present commit and writes bench/record.json. `bench
// compare` builds the program of that commit (or of -base) and the one of the present
// tree, runs the same measurements of both in turn, and prints what became of each figure.
//
// Why in turn. A machine that others use too is some ten percent faster or slower from
// one hour to the next. Two programs that alternate see the same hour, so their ratio
// tells them apart where figures from a file cannot. A difference counts where it is
// larger than the ratios of the rounds are apart; see change.
//
//	go run ./cmd/bench compare -base HEAD~1
//	go run ./cmd/bench record
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"

	"oneshot/internal/setting"
)

// recordPath is where the record lies in the repository.
const recordPath = "bench/record.json"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if errors.Is(err, context.Canceled) {
		err = errors.New("interrupted")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// run is the program but for the process: all that it made in temporary folders is gone
// when it returns, also when ctx ended.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	if len(args) == 0 {
		return fmt.Errorf("want record or compare")
	}
	fs := flag.NewFlagSet(args[0], flag.ContinueOnError)
	fs.SetOutput(stderr)
	rounds, threads := setting.Whole(5), setting.Whole(runtime.NumCPU())
	fs.Var(&rounds, "rounds", "rounds, in each of which every measurement runs once with each program")
	fs.Var(&threads, "threads", "threads of each program")
	var base string
	if args[0] == "compare" {
		fs.StringVar(&base, "base", "", "commit to compare with (default that of "+recordPath+")")
	}
	if err := fs.Parse(args[1:]); err != nil {
		return err
	}
	switch {
	case fs.NArg() > 0:
		return fmt.Errorf("%s takes no arguments, but got %q", args[0], fs.Arg(0))
	case rounds < 1 || threads < 1:
		return fmt.Errorf("rounds and threads are at least 1")
	}
	tmp, err := os.MkdirTemp("", "oneshot-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	r, err := openRepository(ctx, tmp)
	if err != nil {
		return err
	}
	b := bench{jobs: jobs(), rounds: int(rounds), threads: int(threads), log: stderr}
	switch args[0] {
	case "record":
		return r.record(ctx, b, time.Now(), stdout)
	case "compare":
		return r.compare(ctx, b, base, stdout)
	}
	return fmt.Errorf("unknown verb %q: want record or compare", args[0])
}
