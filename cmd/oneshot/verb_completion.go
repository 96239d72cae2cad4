package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"oneshot/internal/fault"
)

func (a *app) completionCmd() *cobra.Command {
	names := []string{"bash", "zsh", "fish"}
	return &cobra.Command{
		Use: "completion bash|zsh|fish", Short: "Print what makes a shell complete verbs, flags and their values",
		Long: "completion prints a script for a shell. To have it in every session:\n\n" +
			"  oneshot completion bash >~/.local/share/bash-completion/completions/oneshot     (needs bash-completion)\n" +
			"  oneshot completion zsh >~/.zsh/completions/_oneshot      (a folder of $fpath, before compinit in ~/.zshrc)\n" +
			"  oneshot completion fish >~/.config/fish/completions/oneshot.fish\n\n" +
			"The Debian and RPM packages bring all three.",
		ValidArgs: names,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return fault.Usage("", "completion wants one of: %s", strings.Join(names, ", "))
			}
			if !slices.Contains(names, args[0]) {
				return fault.Usage("", "completion wants one of: %s, but got %q%s", strings.Join(names, ", "), args[0], fault.DidYouMean(args[0], names))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			root, out := cmd.Root(), a.ui.Out
			switch args[0] {
			case "bash":
				return root.GenBashCompletionV2(out, true)
			case "zsh":
				return root.GenZshCompletion(out)
			}
			return root.GenFishCompletion(out, true)
		},
	}
}
