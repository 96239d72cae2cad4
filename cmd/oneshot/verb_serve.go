package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"oneshot/internal/fault"
	"oneshot/internal/serve"
)

func (a *app) serveCmd() *cobra.Command {
	port := 0
	cmd := &cobra.Command{
		Use: "serve RUN|DIR", Short: "Show a run, or the runs of a folder, in a browser while they go on",
		Long: "serve shows a run folder as a page that follows the run: stages, curves, the search and its tree, what each\n" +
			"choice says of the score, the log, and a button that stops the run as Ctrl-C does. Of a folder of runs, such as\n" +
			"runs, it shows the list. It listens on 127.0.0.1 only and prints an address with a token; whoever has the\n" +
			"address may look and may stop runs. It reads, and writes nothing but the request of that button, the file\n" +
			"stop.request in the run folder. It ends on Ctrl-C.\n\n" +
			"A run on another machine: ssh -L 8000:127.0.0.1:PORT MACHINE, and open http://127.0.0.1:8000/?token=...",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return fault.Usage("those that were given no name are in runs", "serve wants one run folder or folder of runs, but got %d", len(args))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return a.serve(cmd.Context(), args[0], port) },
	}
	cmd.Flags().IntVar(&port, "port", 0, "port to listen on; 0 is any that is free")
	return cmd
}

type serveReport struct {
	Address string `json:"address"` // with the token
	Folder  string `json:"folder"`
	Run     bool   `json:"run"` // it is one run, not a folder of them
}

func (a *app) serve(ctx context.Context, folder string, port int) error {
	if port < 0 || port > 65535 {
		return fault.Usage("0 is any that is free", "--port %d is no port", port)
	}
	s, err := serve.New(serve.Options{Path: folder, Now: time.Now, Every: every})
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return fault.WithCode(fmt.Errorf("serve: %w", err), fault.ExitUsage, "choose another --port; without one any that is free is taken")
	}
	defer l.Close()
	ctx, sig := watchSignals(ctx, "closing", a.ui.Err, os.Exit)
	defer sig.close()
	signal.Reset(syscall.SIGHUP) // without the terminal that has its address a page is of no use
	address := s.Address(l.Addr())
	if a.opt.json {
		if err := a.ui.JSON(serveReport{address, folder, s.Single()}); err != nil {
			return err
		}
	} else {
		a.ui.Printf("open     %s\n", address)
		a.ui.Infof("serve    %s, until Ctrl-C; whoever has the address may look and may stop runs", folder)
	}
	return s.Serve(ctx, l)
}

// every calls f about every d until ctx ends or f returns false.
func every(ctx context.Context, d time.Duration, f func() bool) {
	tick := time.NewTicker(d)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if !f() {
				return
			}
		}
	}
}
