package pipeline

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"oneshot/data"
	"oneshot/internal/atomicfile"
	"oneshot/internal/config"
	"oneshot/internal/fault"
	"oneshot/internal/plan"
	"oneshot/internal/rundir"
)

// apart refuses a run folder among the images, of which its files would seem to be some.
func apart(path string, c config.Data) error {
	if !data.Walked(c) {
		return nil
	}
	// Links to either are followed as far as there is something.
	images, err := filepath.EvalSymlinks(c.Dir)
	if err != nil {
		return nil // opening them says what is wrong
	}
	if images, err = filepath.Abs(images); err != nil {
		return err
	}
	at, err := atomicfile.RealPath(path)
	if err != nil {
		return nil // taking the folder says what is wrong
	}
	if rel, err := filepath.Rel(images, at); err == nil && filepath.IsLocal(rel) {
		return fault.Usage("name a folder outside with --out", "the run folder %s lies within the images of %s", path, c.Dir)
	}
	return nil
}

// images opens them. The list of the records of a large data set is kept in the run folder,
// unless another place was named.
func (o *opening) images(ctx context.Context, d rundir.Folder) (*data.Dataset, error) {
	c := o.config
	switch {
	case o.peeks, o.readOnly && c.Run.Cache == "" && !d.Has("cache"):
		c.Run.Cache = ""
	case c.Run.Cache == "":
		c.Run.Cache, o.made = d.File("cache"), !d.Has("cache")
	}
	show, finish := o.UI.Late("read", o.now)
	images, err := plan.OpenData(ctx, c, show)
	finish()
	if err == nil {
		if err = context.Cause(ctx); err != nil {
			images.Close()
		}
	}
	o.unseen = err
	return images, err
}

// sameImages compares the images with the manifest of the run that is continued. Other ones are
// accepted where all that was computed from them may be done anew.
func (o *opening) sameImages(d *data.Dataset, f rundir.Folder) error {
	first := slices.IndexFunc(Stages, func(s Stage) bool { return s.begun(f) })
	if !o.stored || o.Override && first >= 0 && slices.Contains(o.Redoes, Stages[first].Name) {
		return nil
	}
	old, err := f.ReadManifest()
	switch {
	case errors.Is(err, fs.ErrNotExist): // stopped before it was written
		return nil
	case err != nil:
		return err
	case old.Dataset.SHA256 != d.SHA256 && old.Seed == o.config.Seed:
		return fault.New(fault.ExitInvalid, ownImages(f), "data set %s differs from that of the run: sha256 %.12s, was %.12s", o.imagesName(), d.SHA256, old.Dataset.SHA256)
	case old.Dataset.Classes != "" && old.Dataset.Classes != hashNames(d.Classes):
		return fault.New(fault.ExitInvalid, ownImages(f), "classes of data set %s have other names than when the run began", o.imagesName())
	}
	return nil
}

// describeImages is what the manifest says of them.
func describeImages(d *data.Dataset) rundir.Dataset {
	bySeed := d.TestDrawn || d.TestPart
	return rundir.Dataset{Name: d.Name, Format: d.Format, Decoder: plan.Decoder(d), Source: d.Provenance, SHA256: d.SHA256,
		Classes: hashNames(d.Classes), Train: d.Train.Len(), Search: d.Search.Len(), Test: d.Test.Len(), TestBySeed: &bySeed, Roles: d.Roles, Notes: d.Notes}
}

// imagesName is what the images are called, with their folder if there is one.
func (o *opening) imagesName() string {
	if data.Drawn(o.config.Data.Name) {
		return o.config.Data.Name
	}
	return fmt.Sprintf("%s (%s)", o.config.Data.Name, o.config.Data.Dir)
}

// hashNames is the sha256 of names, a line each.
func hashNames(names []string) string {
	return fmt.Sprintf("%x", sha256.Sum256([]byte(strings.Join(names, "\n"))))
}
