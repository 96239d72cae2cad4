package main

import (
	"cmp"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"oneshot/internal/config"
	"oneshot/internal/pipeline"
	"oneshot/internal/rundir"
	"oneshot/internal/setting"
	"oneshot/lanas"
	"oneshot/lanas/landscape"
	"oneshot/supernet/space"
)

// This file says what a shell may complete: `oneshot completion bash` and the like print the scripts, which
// ask this program. A value is completed by the name of its flag, so a verb needs no word of its own here.

// completer is what cobra asks for the values that begin with typed.
type completer = cobra.CompletionFunc

// bindCompletion tells every verb below root how its flags and arguments are completed.
func (a *app) bindCompletion(root *cobra.Command) {
	flags := map[string]completer{
		"preset": words(presetChoices), "arch": files(archChoices), "subnet": files(archChoices), "out": completeRuns, "set": completeSet,
		"config": onlyFiles("yaml", "yml"), "weights": onlyFiles("safetensors"), "teacher": onlyFiles("safetensors"), "init": files(initChoices),
		"data-dir": onlyFolders, "cache": onlyFolders, "to": onlyFolders, "split": words(fixed("test", "search")),
		"format": lists(fixed(pipeline.FormNames()...)), "baselines": lists(fixed(lanas.Algorithms()...)),
		"seed": words(fixed("random")), "on-bad-sample": words(fixed("error", "skip:")),
		"table": files(tableChoices), "html": onlyFiles("html"), "write-table": onlyFiles("json"), "memory-limit": nothing, "fit-madds": nothing, "space": completeSpaces, "archs-file": files(fixed()), "archs": files(fixed()),
		"algo":        nil, // of bench search alone
		"sample-seed": nothing,
	}
	special := map[string]completer{
		"data prepare --out": onlyFolders, "doctor --out": onlyFolders, "plot --out": onlyFiles("svg", "dot", "txt"), "report --out": onlyFiles("html"), // no runs
		"rank --table":     onlyFiles("json", "jsonl", "csv"),
		"export --weights": words(fixed(pipeline.WeightNames()...)), "bench search --algo": lists(fixed(append(lanas.Algorithms(), "all", "ablations")...)),
	}
	arguments := map[string]completer{
		"recipe": once(words(presetChoices)), "space": once(completeSpaces), "plot": once(runsOrArch), "inspect": once(runsOrArch),
		"status": once(completeRuns), "report": completeRuns, "serve": completeRuns,
	}
	keys := map[string]setting.Field{}
	for _, f := range setting.Fields(new(config.Config)) {
		keys[f.Key] = f
	}
	known := setting.Words(new(config.Config))
	register := func(cmd *cobra.Command, flag string, f completer) {
		if cmd.LocalFlags().Lookup(flag) != nil {
			_ = cmd.RegisterFlagCompletionFunc(flag, f) // of a flag that is there, once
		}
	}
	var bind func(cmd *cobra.Command)
	bind = func(cmd *cobra.Command) {
		verb := strings.TrimPrefix(cmd.CommandPath(), root.Name()+" ")
		for flag, f := range flags {
			if own := special[verb+" --"+flag]; own != nil {
				f = own
			}
			if f != nil {
				register(cmd, flag, f)
			}
		}
		for _, k := range a.opt.keys {
			if flags[k.flag.Name] == nil && cmd.LocalFlags().Lookup(k.flag.Name) == k.flag {
				register(cmd, k.flag.Name, completeKey(keys[k.key], known[k.key]))
			}
		}
		if f := arguments[cmd.Name()]; f != nil {
			cmd.ValidArgsFunction = f
		} else if cmd.Name() != "predict" && cmd.Name() != "init" && cmd.ValidArgs == nil && !cmd.HasSubCommands() {
			cmd.ValidArgsFunction = nothing
		}
		for _, c := range cmd.Commands() {
			bind(c)
		}
	}
	bind(root)
}

// fixed lists words without a description.
func fixed(list ...string) func() []cobra.Completion {
	return func() []cobra.Completion { return list }
}

func presetChoices() (list []cobra.Completion) {
	for _, p := range config.Presets() {
		list = append(list, cobra.CompletionWithDesc(p.Name, p.About))
	}
	return list
}

// archChoices are the published names, and what a run has found.
func archChoices() []cobra.Completion {
	return append([]cobra.Completion{cobra.CompletionWithDesc("best", "what the search of the run found")}, space.FormWords()...)
}

// completeSpaces lists the kinds of spaces, and files with others beside what is typed.
func completeSpaces(_ *cobra.Command, args []string, typed string) (list []cobra.Completion, _ cobra.ShellCompDirective) {
	for _, kind := range kindNames() {
		list = append(list, cobra.CompletionWithDesc(kind, space.About(kind)))
	}
	directive := cobra.ShellCompDirectiveNoFileComp
	dir := typed[:strings.LastIndexByte(typed, '/')+1]
	entries, _ := os.ReadDir(cmp.Or(dir, ".")) // what is no folder has none
	for _, e := range entries {
		switch path := dir + e.Name(); {
		case strings.HasPrefix(e.Name(), ".") || !strings.HasPrefix(path, typed):
		case e.IsDir():
			list, directive = append(list, path+"/"), directive|cobra.ShellCompDirectiveNoSpace
		case config.IsSpaceFile(path):
			list = append(list, path)
		}
	}
	return list, directive
}

func initChoices() []cobra.Completion {
	return []cobra.Completion{cobra.CompletionWithDesc(config.Inherited, "the weights that the supernet has learnt")}
}

func tableChoices() (list []cobra.Completion) {
	for _, f := range landscape.Families() {
		list = append(list, "gen:"+f)
	}
	return list
}

// nothing completes nothing, not even files.
func nothing(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveNoFileComp
}

func words(list func() []cobra.Completion) completer {
	return func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return list(), cobra.ShellCompDirectiveNoFileComp
	}
}

// files is words that may be paths too.
func files(list func() []cobra.Completion) completer {
	return func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return list(), cobra.ShellCompDirectiveDefault
	}
}

// lists is words of which several may stand, with commas between them.
func lists(list func() []cobra.Completion) completer {
	return func(_ *cobra.Command, _ []string, typed string) (out []cobra.Completion, _ cobra.ShellCompDirective) {
		before := typed[:strings.LastIndexByte(typed, ',')+1]
		for _, w := range list() {
			if !slices.Contains(strings.Split(before, ","), w) {
				out = append(out, before+w)
			}
		}
		return out, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	}
}

func onlyFiles(ext ...string) completer {
	return func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return ext, cobra.ShellCompDirectiveFilterFileExt
	}
}

func onlyFolders(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveFilterDirs
}

// once completes the first argument alone.
func once(f completer) completer {
	return func(cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nothing(cmd, args, typed)
		}
		return f(cmd, args, typed)
	}
}

func runsOrArch(cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	runs, _ := completeRuns(cmd, args, typed)
	return append(slices.DeleteFunc(runs, func(r string) bool { return strings.HasSuffix(r, "/") }), space.FormWords()...), cobra.ShellCompDirectiveDefault
}

// completeRuns lists the run folders beside what is typed, those of runs/ where nothing is, and the folders on
// the way to others.
func completeRuns(_ *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	var runs, others []cobra.Completion
	look := func(dir string) {
		entries, _ := os.ReadDir(cmp.Or(dir, ".")) // what is no folder has none
		for _, e := range entries {
			path := dir + e.Name()
			if info, err := os.Stat(path); err != nil || !info.IsDir() || strings.HasPrefix(e.Name(), ".") ||
				!strings.HasPrefix(path, typed) || slices.Contains(args, path) {
				continue
			}
			if rundir.Folder(path).IsRun() {
				runs = append(runs, cobra.CompletionWithDesc(path, "run"))
			} else {
				others = append(others, path+"/")
			}
		}
	}
	look(typed[:strings.LastIndexByte(typed, '/')+1])
	if typed == "" {
		look("runs/")
		others = slices.DeleteFunc(others, func(o string) bool { return o == "runs/" })
	}
	directive := cobra.ShellCompDirectiveNoFileComp
	if len(runs) == 0 {
		directive |= cobra.ShellCompDirectiveNoSpace
	}
	return append(runs, others...), directive
}

// completeSet completes key=value of --set: first the key, with its range and meaning, then its words.
func completeSet(_ *cobra.Command, _ []string, typed string) (list []cobra.Completion, _ cobra.ShellCompDirective) {
	const directive = cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	key, _, ok := strings.Cut(typed, "=")
	c := config.Default()
	known := setting.Words(&c)
	for _, f := range setting.Fields(&c) {
		switch {
		case !ok:
			list = append(list, cobra.CompletionWithDesc(f.Key+"=", about(f)))
		case f.Key == strings.ReplaceAll(key, "-", "_"):
			for _, v := range valuesOf(f, known[f.Key]) {
				list = append(list, key+"="+v)
			}
			return orHelp(list, f), cobra.ShellCompDirectiveNoFileComp
		}
	}
	return list, directive
}

// completeKey completes the value of a flag that stands for a key.
func completeKey(f setting.Field, known []string) completer {
	return func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return orHelp(valuesOf(f, known), f), cobra.ShellCompDirectiveNoFileComp
	}
}

// orHelp is a list or, where it is empty, a line that says what a setting may be.
func orHelp(list []cobra.Completion, f setting.Field) []cobra.Completion {
	if len(list) == 0 {
		return cobra.AppendActiveHelp(nil, about(f))
	}
	return list
}

// valuesOf are the values of a setting that has few.
func valuesOf(f setting.Field, known []string) []string {
	if known == nil && f.Value.Kind() == reflect.Bool {
		return []string{"true", "false"}
	}
	return known
}

// about is the range and the meaning of a key, in a line.
func about(f setting.Field) string {
	if f.Want == "" {
		return f.Doc
	}
	return f.Want + ": " + f.Doc
}
