package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"oneshot/internal/atomicfile"
)

// repository is the clone of oneshot that the program was started in.
type repository struct {
	root string
	tmp  string // programs are built here
}

func openRepository(ctx context.Context, tmp string) (repository, error) {
	root, err := output(ctx, ".", "git", "rev-parse", "--show-toplevel")
	return repository{root, tmp}, err
}

// record measures the present commit and writes the record. What was not committed
// cannot be built again, so a tree with changes is refused.
func (r repository) record(ctx context.Context, b bench, now time.Time, w io.Writer) error {
	changes, err := output(ctx, r.root, "git", "status", "--porcelain")
	if err != nil {
		return err
	}
	if changes != "" {
		return fmt.Errorf("the tree has changes, and a record is of a commit:\n%s", changes)
	}
	commit, err := r.commit(ctx, "HEAD")
	if err != nil {
		return err
	}
	program, err := r.build(ctx, r.root, "this")
	if err != nil {
		return err
	}
	goVersion, err := output(ctx, r.root, "go", "env", "GOVERSION")
	if err != nil {
		return err
	}
	figures, m, err := b.measure(ctx, program)
	if err != nil {
		return err
	}
	rec := newRecord(commit, goVersion, now, b, m, figures[0])
	if err := atomicfile.Write(filepath.Join(r.root, recordPath), 0o644, rec.write); err != nil {
		return err
	}
	fmt.Fprintf(w, "%s: %.12s on %s, %s, %d threads\n", recordPath, commit, m.CPU, m.ISA, m.Threads)
	for _, v := range rec.Figures {
		fmt.Fprintf(w, "%-15s %9.1f %-8s %.1f..%.1f\n", v.Name, v.Median, v.Unit, v.Low, v.High)
	}
	return nil
}

// compare measures the program of commit base, or with "" of the record's, and the
// one of the present tree.
func (r repository) compare(ctx context.Context, b bench, base string, w io.Writer) error {
	rec, err := r.readRecord()
	if err != nil {
		return err
	}
	if base == "" {
		if rec == nil {
			return fmt.Errorf("there is no %s: make bench-record, or BASE=commit", recordPath)
		}
		base = rec.Commit
	}
	commit, err := r.commit(ctx, base)
	if err != nil {
		return fmt.Errorf("this clone has no commit %s (BASE=commit names another): %w", base, err)
	}
	that, err := r.buildCommit(ctx, commit)
	if err != nil {
		return err
	}
	this, err := r.build(ctx, r.root, "this")
	if err != nil {
		return err
	}
	figures, m, err := b.measure(ctx, that, this)
	if err != nil {
		return err
	}
	name, err := output(ctx, r.root, "git", "describe", "--always", "--abbrev=12", "--dirty=, with changes")
	if err != nil {
		return err
	}
	printTable(w, rec, b, m, side{commit, figures[0]}, side{"the present tree: " + name, figures[1]})
	return nil
}

// readRecord returns nil where there is no record yet.
func (r repository) readRecord() (*record, error) {
	b, err := os.ReadFile(filepath.Join(r.root, recordPath))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	rec, err := readRecord(b)
	return &rec, err
}

// commit is the hash of a commit.
func (r repository) commit(ctx context.Context, name string) (string, error) {
	return output(ctx, r.root, "git", "rev-parse", "--verify", "--end-of-options", name+"^{commit}")
}

// buildCommit builds the program of a commit in a worktree of its own, which is gone
// afterwards.
func (r repository) buildCommit(ctx context.Context, commit string) (program string, err error) {
	dir := filepath.Join(r.tmp, "worktree")
	defer func() {
		// Also after an interruption, so not with ctx; twice --force removes even one
		// that git was interrupted in making.
		_, e := output(context.WithoutCancel(ctx), r.root, "git", "worktree", "remove", "--force", "--force", dir)
		if err == nil {
			err = e
		}
	}()
	if _, err := output(ctx, r.root, "git", "worktree", "add", "--quiet", "--detach", dir, commit); err != nil {
		return "", err
	}
	return r.build(ctx, dir, "base")
}

// build builds the program of a tree as make does.
func (r repository) build(ctx context.Context, dir, name string) (string, error) {
	program := filepath.Join(r.tmp, name)
	_, err := output(ctx, dir, "go", "build", "-trimpath", "-o", program, "./cmd/oneshot")
	return program, err
}

// output is what a command prints, without the last newline.
func output(ctx context.Context, dir string, command ...string) (string, error) {
	cmd := stoppable(ctx, command[0], command[1:]...)
	cmd.Dir = dir
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	b, err := cmd.Output()
	if err != nil {
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		return "", fmt.Errorf("%s: %w: %s", strings.Join(command, " "), err, bytes.TrimSpace(stderr.Bytes()))
	}
	return strings.TrimSuffix(string(b), "\n"), nil
}
