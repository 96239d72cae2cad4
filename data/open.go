package data

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"oneshot/data/decode"
	"oneshot/data/source"
	"oneshot/internal/rng"
)

// opening is a configuration on its way to a Dataset.
type opening struct {
	c        Config
	ctx      context.Context
	progress func(done, all int)

	src   source.Source
	info  *source.Info
	roles source.Roles
	train []ref // the training split, less what is drawn from it for the test
	own   []ref // search images with a split of their own
	test  []ref

	testPart bool // test_size leaves some of the test split out

	w, h  int  // pixels that all images have, as far as some of them tell; 0 where they differ
	lossy bool // some are JPEG or WebP, whose pixels depend on what decodes them
}

// residentBytes is what collections may take that are decoded once and stay. 1 GiB are
// 350,000 images of 32 pixels, or 87,000 of 64.
const residentBytes = 1 << 30

func (o *opening) open() (*Dataset, error) {
	if o.src == nil {
		if err := o.find(); err != nil {
			return nil, err
		}
	}
	if err := o.divideRecords(); err != nil {
		return nil, err
	}
	name := o.c.Name
	if name == Auto {
		name = o.info.Format
	}
	d := &Dataset{Name: name, Format: o.info.Format, Classes: slices.Clone(o.info.Classes), src: o.src}
	limit, err := o.c.tolerance()
	if err != nil {
		return nil, err
	}
	d.bad = newBadSamples(limit)
	if err := o.countFaults(d.bad); err != nil {
		return nil, err
	}
	from := &origin{src: o.src, stretch: o.c.Resize == "stretch", bad: d.bad}
	if o.info.Raw == nil {
		if from.decoder, err = chooseDecoder(o.c.Decoder); err != nil {
			return nil, err
		}
		d.Decoder = from.decoder
	}
	if err := o.chooseSize(d, from); err != nil {
		return nil, err
	}
	img := o.collection(d, from, slices.Concat(o.train, o.own))
	test := o.collection(d, from, o.test)
	test.views = newViews(0) // they are looked at once
	carve, err := o.searchSize(d)
	if err != nil {
		return nil, err
	}
	d.TrainSize, d.SearchSize, d.TestSize = len(o.train), carve+len(o.own), len(o.test)
	train, carved := divide(img.y[:len(o.train)], len(d.Classes), carve, o.c.Seed)
	if carve > 0 && len(carved) == 0 {
		return nil, o.unfit("give the search a split of its own with --set data.search_from=...",
			"every class has one training image, so that none can be held out for the search")
	}
	d.SearchHeld, d.TestDrawn = len(carved)+len(o.own), o.roles.Test < 0 && !o.c.Untrained
	d.TestPart = o.testPart
	own, tested := upTo(len(o.train), img.len()), upTo(0, test.len())
	var decoded []*images
	if !o.c.Originals && int64(img.len()+test.len())*int64(img.size()) <= residentBytes {
		square, err := o.decode(img, test)
		if err != nil {
			return nil, err
		}
		if !o.c.Untrained && (len(img.good(train)) == 0 || len(img.good(carved))+len(img.good(own)) == 0 || len(test.good(tested)) == 0) {
			return nil, o.unfit("", "no image that can be decoded is left for one of train, search and test")
		}
		if square {
			decoded = []*images{img, test}
		}
	}
	if err := o.identify(d, from, decoded); err != nil {
		return nil, err
	}
	if d.Mean == ([3]float32{}) && o.c.As == nil {
		if d.Mean, d.Std, err = statistics(&split{img: img, idx: train}, o.c.Seed); err != nil {
			return nil, err
		}
	}
	d.split(img, train, slices.Concat(carved, own), test, tested, o.c.As)
	d.Roles = o.describe(d)
	d.Notes = slices.Concat(o.info.Notes, coverage(d))
	return d, nil
}

// upTo counts from a number to before another.
func upTo(from, to int) []int32 {
	out := make([]int32, to-from)
	for i := range out {
		out[i] = int32(from + i)
	}
	return out
}

// chooseDecoder says which decoder a setting means.
func chooseDecoder(name string) (string, error) {
	name, err := decode.Choose(name)
	if err != nil {
		return "", &ConfigError{"decoder", err.Error(), "install it; a new run may take what there is with --decoder auto: go is always there and gives slightly other pixels"}
	}
	return name, nil
}

// unfit says why the data cannot be used.
func (o *opening) unfit(hint, format string, args ...any) error {
	return &source.FileError{File: o.c.Dir, Msg: fmt.Sprintf(format, args...), Hint: hint}
}

// countFaults holds what the index of the source left out to the policy for bad samples.
func (o *opening) countFaults(b *badSamples) error {
	for i, f := range o.info.Faults {
		if err := b.add(ref{split: -1, record: int32(i)}, f); err != nil {
			return err
		}
	}
	return nil
}

// assign gives the splits their roles.
func (o *opening) assign() (err error) {
	if o.roles, err = source.Assign(o.info, o.c.SearchFrom, o.c.TestFrom); err != nil {
		var r *source.RoleError
		if errors.As(err, &r) && r.Field != "" {
			return &ConfigError{r.Field, r.Msg, r.Hint}
		} else if errors.As(err, &r) {
			return o.unfit(r.Hint, "%s", r.Msg)
		}
	}
	return err
}

// checkLabels wants a class for every label.
func (o *opening) checkLabels() error {
	classes := len(o.info.Classes)
	for _, s := range o.info.Splits {
		for i, y := range s.Labels {
			if y < 0 || int(y) >= classes {
				return o.unfit("", "record %d of split %q has label %d, want 0 to %d", i, s.Name, y, classes-1)
			}
		}
	}
	return nil
}

// divideRecords gives the records to train, search and test.
func (o *opening) divideRecords() error {
	if err := o.assign(); err != nil {
		return err
	}
	if err := o.checkLabels(); err != nil {
		return err
	}
	o.train = records(o.info, o.roles.Train)
	if o.roles.Test >= 0 {
		o.test = records(o.info, o.roles.Test)
	} else if o.c.Untrained {
		o.test = o.train
	} else {
		o.train, o.test = drawn(o.info, o.train, max(1, len(o.train)/5), o.c.Seed, "test", leaveOne)
		if len(o.test) == 0 {
			return o.unfit("add images", "every class has one image, so that none can be held out for the test")
		}
	}
	if o.c.Untrained {
		o.train, o.roles.Search = nil, -1
	}
	if o.roles.Search >= 0 {
		o.own = records(o.info, o.roles.Search)
	}
	if err := o.subset(&o.train, "train_size", o.c.TrainSize, "training"); err != nil {
		return err
	}
	whole := len(o.test)
	if err := o.subset(&o.test, "test_size", o.c.TestSize, "test"); err != nil {
		return err
	}
	o.testPart = len(o.test) < whole
	if o.roles.Search >= 0 {
		if err := o.subset(&o.own, "search_size", o.c.SearchSize, "search"); err != nil {
			return err
		}
	}
	if len(o.test) == 0 {
		return o.unfit("--set data.test_from=train draws a fifth of the training images", "there are no test images")
	}
	if o.c.Untrained {
		return nil
	}
	return o.checkClasses()
}

// checkClasses wants training images of every class.
func (o *opening) checkClasses() error {
	have := make([]int, len(o.info.Classes))
	for _, r := range o.train {
		have[o.info.Splits[r.split].Labels[r.record]]++
	}
	var none []string
	for c, n := range have {
		if n == 0 {
			none = append(none, o.info.Classes[c])
		}
	}
	switch {
	case len(have) < 2:
		return o.unfit("a class is a folder, or a label", "there is %d class, want at least 2", len(have))
	case len(none) > 0:
		return o.unfit("add images of it to the training split, or point --data-dir at images without it", "there are no training images of %s", source.Counted(none, "class", "classes"))
	}
	return nil
}

// records lists a split in the order of its files.
func records(info *source.Info, split int) []ref {
	out := make([]ref, len(info.Splits[split].Labels))
	for i := range out {
		out[i] = ref{int32(split), int32(i)}
	}
	return out
}

// subset leaves n of the records, drawn by class; 0 is all.
func (o *opening) subset(refs *[]ref, field string, n int, what string) error {
	if n > len(*refs) && n == o.usual(field) && (o.roles.Test < 0 || o.roles.Search >= 0) {
		n = 0 // nobody asked for so many; what is left of the official images is all there is
	}
	switch {
	case n == 0 || n == len(*refs):
		return nil
	case n > len(*refs) && n == o.usual(field):
		k := knownSets[o.c.Name]
		return o.unfit("--dataset "+Auto+" takes any number of images", "%d %s images, %s has %d", len(*refs), what, k.Title, n)
	case n > len(*refs):
		return &ConfigError{field, fmt.Sprintf("%d, but there are %d %s images", n, len(*refs), what), ""}
	case field == "train_size" && n < len(o.info.Classes):
		return &ConfigError{field, fmt.Sprintf("%d, want at least an image for each of %d classes", n, len(o.info.Classes)), ""}
	}
	bound := func([]int, [][]int32) {}
	if field == "train_size" {
		bound = atLeastOne
	}
	_, *refs = drawn(o.info, *refs, n, o.c.Seed, field, bound)
	return nil
}

// usual is the size of an official set that stands for a size that is not given.
func (o *opening) usual(field string) int {
	if d := Default(o.c.Name); field == "train_size" {
		return d.TrainSize
	} else if field == "test_size" {
		return d.TestSize
	}
	return 0
}

// drawn draws n of the records by class, in proportion as far as bound allows; both lists
// stay in order.
func drawn(info *source.Info, refs []ref, n int, seed uint64, role string, bound func(quota []int, byClass [][]int32)) (rest, some []ref) {
	byClass := make([][]int32, len(info.Classes))
	for i, r := range refs {
		y := info.Splits[r.split].Labels[r.record]
		byClass[y] = append(byClass[y], int32(i))
	}
	take := make([]bool, len(refs))
	quota := quotas(byClass, max(1, len(refs)), n, rng.New(seed, role+" ties"))
	bound(quota, byClass)
	for c, q := range quota {
		m := byClass[c]
		rng.New(seed, role, uint64(c)).Shuffle(len(m), func(a, b int) { m[a], m[b] = m[b], m[a] })
		for _, i := range m[:q] {
			take[i] = true
		}
	}
	for i, r := range refs {
		if take[i] {
			some = append(some, r)
		} else {
			rest = append(rest, r)
		}
	}
	return rest, some
}

// searchSize is how many images are carved out of the training images.
func (o *opening) searchSize(d *Dataset) (int, error) {
	if o.roles.Search >= 0 || o.c.Untrained {
		return 0, nil
	}
	n := len(o.train)
	if asked := o.c.SearchSize; asked > 0 {
		if most := n - len(d.Classes); asked > most {
			return 0, &ConfigError{"search_size", fmt.Sprintf("%d, want at most %d", asked, most),
				fmt.Sprintf("it is drawn from %d training images, and each of %d classes keeps one", n, len(d.Classes))}
		}
		return asked, nil
	}
	size := n / 10
	if n < 5000 {
		size = n / 5
	}
	return max(1, min(size, 10_000, n-len(d.Classes))), nil
}

// collection makes a collection of records, not decoded yet.
func (o *opening) collection(d *Dataset, from *origin, refs []ref) *images {
	m := &images{side: d.Image, y: make([]int32, len(refs)), from: from, refs: refs, views: newViews(len(refs))}
	for i, r := range refs {
		m.y[i] = o.info.Splits[r.split].Labels[r.record]
	}
	return m
}

// failure is why an image is not decoded.
type failure struct {
	image int
	err   error
}

// decode makes collections resident, on every core. Bad records that are tolerated stay
// black. square says that no image had to be resized.
func (o *opening) decode(collections ...*images) (square bool, err error) {
	all := 0
	for _, m := range collections {
		all += m.len()
	}
	var other atomic.Bool
	var done atomic.Int64
	for _, m := range collections {
		pix := make([]uint8, m.len()*m.size())
		workers := min(runtime.GOMAXPROCS(0), max(1, m.len()))
		// Images are handed out in order, so of all that fail the first is among those that are seen to.
		failed := make([]failure, workers)
		var next atomic.Int64
		var wg sync.WaitGroup
		for w := range workers {
			wg.Go(func() {
				r := m.reader()
				defer r.close()
				for {
					i := int(next.Add(1)) - 1
					if i >= m.len() || o.ctx.Err() != nil {
						return
					}
					im, err := r.original(int32(i))
					if err == errBad {
						done.Add(1)
						continue
					}
					if err != nil {
						failed[w] = failure{i, err}
						next.Store(int64(m.len()))
						return
					}
					if im.W != m.side || im.H != m.side {
						other.Store(true)
					}
					copy(pix[i*m.size():(i+1)*m.size()], r.squared(im))
					if n := done.Add(1); w == 0 || n == int64(all) {
						o.progress(int(n), all)
					}
				}
			})
		}
		wg.Wait()
		first := failure{m.len(), context.Cause(o.ctx)}
		for _, f := range failed {
			if f.err != nil && f.image < first.image {
				first = f
			}
		}
		if first.err != nil {
			return false, first.err
		}
		m.pix = pix
	}
	return !other.Load(), nil
}
