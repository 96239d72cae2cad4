// Command oneshot trains a weight-sharing supernet once, searches it with LaNAS,
// retrains the best subnetwork from scratch and exports its weights.
//
//	oneshot run                       the whole pipeline on drawn images, in minutes
//	oneshot run --preset cifar10-small --data-dir cifar-10-batches-bin
//	oneshot run --out DIR --resume    continue a stopped run, to the same bytes
//
// Results go to stdout, everything else to stderr. Exit codes: 0 done, 1 failed,
// 2 wrong usage or configuration, 3 data or checkpoint invalid, 4 run folder in
// use, 5 diverged (a loss, a score or outputs are no numbers), 6 out of memory or
// disk, 7 device lost, 75 stopped on request and resumable, 130 and 143 after a
// second signal.
//
// Only commands read flags, the environment, the terminal and the clock, or exit; ops/cpu
// alone reads ONESHOT_ISA. One short file a verb: it says what the verb asks for (package
// pipeline, or measure for bench) and prints what comes back.
package main

import (
	"context"
	"errors"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"oneshot/internal/config"
	"oneshot/internal/fault"
	"oneshot/internal/ui"
	"oneshot/ops/cpu"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run executes one command line and returns the exit code.
func run(args []string, stdout, stderr io.Writer) int {
	a := &app{opt: &options{}, ui: ui.New(stdout, stderr, time.Now)}
	a.ui.Live = isLive(stderr)
	root := a.rootCmd()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(context.Background())
	if err == nil {
		err = a.ui.Failed() // a result that could not be printed is no success
	}
	return fault.Report(stderr, err)
}

func (a *app) rootCmd() *cobra.Command {
	root := &cobra.Command{
		Use:   "oneshot",
		Short: "One-shot neural architecture search: train a supernet, search it, retrain the winner",
		Long: "oneshot trains a weight-sharing supernet once, searches it with LaNAS, retrains the\n" +
			"best subnetwork from scratch and exports its weights.\n\nPresets:\n" + config.PresetHelp() + "\n" + exitHelp,
		SilenceErrors: true, SilenceUsage: true,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			var names []string
			for _, c := range cmd.Commands() {
				names = append(names, c.Name())
			}
			return fault.Usage("`oneshot --help` lists the commands", "unknown command %q%s", args[0], fault.DidYouMean(args[0], names))
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		PersistentPreRunE: func(cmd *cobra.Command, args []string) error {
			a.ui.Quiet, a.ui.Verbose = a.opt.quiet, a.opt.verbose
			if _, err := cpu.ISA(); err != nil { // whatever the verb computes is computed with another
				a.ui.Warnf("%v", err)
			}
			return givenSomething(cmd, args)
		},
	}
	root.SetGlobalNormalizationFunc(func(_ *pflag.FlagSet, name string) pflag.NormalizedName {
		return pflag.NormalizedName(strings.ReplaceAll(name, "_", "-"))
	})
	root.Version = versionLine()
	root.SetVersionTemplate("{{.Version}}\n")
	root.SetFlagErrorFunc(a.flagError)
	a.opt.bind(root)
	configured := []*cobra.Command{a.runCmd(), a.trainCmd(), a.searchCmd(), a.rankCmd(), a.retrainCmd(), a.exportCmd(), a.evalCmd(), a.predictCmd(),
		a.plotCmd(), a.inspectCmd(), a.initCmd(), a.dataCmd(), a.benchCmd(), a.doctorCmd()}
	for _, verb := range configured {
		a.opt.bindConfig(verb)
	}
	root.AddCommand(configured...)
	root.AddCommand(a.reportCmd(), a.serveCmd(), a.statusCmd(), a.recipeCmd(), a.spaceCmd(), a.completionCmd(), a.versionCmd())
	for _, verb := range more {
		root.AddCommand(verb())
	}
	a.bindCompletion(root)
	return root
}

// givenSomething refuses an argument that is empty, and a flag for a path or a name whose value is, as --out "$RUN"
// is where RUN is not set. A flag that stands for a key may be empty, as a key may.
func givenSomething(cmd *cobra.Command, args []string) (err error) {
	if !cmd.Hidden && slices.Contains(args, "") { // a shell asks hidden ones
		return fault.Usage("", "an argument of %s is empty", cmd.Name())
	}
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if f.Value.Type() == "string" && f.Value.String() == "" && err == nil {
			err = fault.Usage("leave the flag out, or give it a value", "--%s is empty", f.Name)
		}
	})
	return err
}

// more are the verbs of a build tag; see man.go.
var more []func() *cobra.Command

const exitHelp = `Exit codes: 0 done, 1 failed, 2 wrong usage or configuration, 3 data or checkpoint
invalid, 4 run folder in use, 5 diverged (a loss, a score or outputs are no
numbers), 6 out of memory or disk, 7 device lost, 75 stopped on request (--resume
continues), 130 or 143 stopped at once.`

// flagError adds the nearest flag to cobra's complaint or, where other verbs have the flag, the
// keys of the configuration that it stands for.
func (a *app) flagError(cmd *cobra.Command, err error) error {
	hint := "`" + cmd.CommandPath() + " --help` lists the flags"
	var invalid *pflag.InvalidValueError
	if errors.As(err, &invalid) {
		// Our own types say what they want, some with the value; those of Go say which function failed.
		f, value := invalid.GetFlag(), invalid.GetValue()
		text := strings.TrimPrefix(invalid.Unwrap().Error(), strconv.Quote(value)+": ")
		if want := map[string]string{"int": "a whole number", "float64": "a number", "bool": "true or false"}[f.Value.Type()]; want != "" {
			text = "want " + want
		}
		return fault.Usage(hint, "--%s %q: %s", f.Name, value, text)
	}
	var unknown *pflag.NotExistError
	if !errors.As(err, &unknown) {
		return fault.Usage(hint, "%w", err)
	}
	name := unknown.GetSpecifiedName()
	if keys := a.opt.keysOf(name); len(keys) > 0 && cmd.Flags().Lookup("resume") != nil {
		return fault.Usage("here it is --set "+strings.Join(keys, "=..., or --set ")+"=...", "%w", err)
	}
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	// Without the dashes, which would make any two flags alike.
	nearest := fault.DidYouMean(name, names)
	return fault.Usage(hint, "%w%s", err, strings.Replace(nearest, `"`, `"--`, 1))
}
