//go:build man

// Of a program that is built with the tag man only, so that what writes manual pages is in no other:
//
//	go run -tags man ./cmd/oneshot man FOLDER

package main

import (
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"oneshot/internal/fault"
)

func init() { more = append(more, manCmd) }

// manCmd writes a manual page of each verb to a folder, with the date of $SOURCE_DATE_EPOCH.
func manCmd() *cobra.Command {
	return &cobra.Command{
		Use: "man FOLDER", Hidden: true, Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := os.MkdirAll(args[0], 0o755); err != nil {
				return fault.WithCode(err, fault.ExitUsage, "")
			}
			cmd.Root().DisableAutoGenTag = true
			return doc.GenManTree(cmd.Root(), &doc.GenManHeader{Section: "1", Source: "oneshot " + version, Manual: "oneshot"}, args[0])
		},
	}
}
