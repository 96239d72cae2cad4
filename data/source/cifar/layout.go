package cifar

// side is the height and width of an image, planes the bytes of one.
const (
	side   = 32
	planes = 3 * side * side
)

// layout says how a set lies on disk.
type layout struct {
	Known
	binary, python version
	labels         []label // in the order of the record's bytes; the last is the class
	names          string  // key of the class names in the pickled meta file
}

// version is one of the two ways a set is published.
type version struct {
	title       string // "binary version"
	folder      string // where the official archive unpacks to
	archive     string
	md5         string // of the archive; empty: not on record
	train, test []string
	meta        string // the file that names the classes; need not be there
}

// label is one of the labels of a record.
type label struct {
	name  string // in messages
	key   string // in a pickled batch
	limit int    // number of values
}

// layouts are the sets in the order in which a folder is tried for them.
func layouts() []layout {
	sets := KnownSets()
	return []layout{
		{
			Known: sets[0],
			binary: version{
				title: "binary version", folder: "cifar-10-batches-bin",
				archive: "cifar-10-binary.tar.gz", md5: "c32a1d4ab5d03f1284b67883e8d87530",
				train: []string{"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"},
				test:  []string{"test_batch.bin"}, meta: "batches.meta.txt",
			},
			python: version{
				title: "python version", folder: "cifar-10-batches-py",
				archive: "cifar-10-python.tar.gz", md5: "c58f30108f718f92721af3b95e74349a",
				train: []string{"data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5"},
				test:  []string{"test_batch"}, meta: "batches.meta",
			},
			labels: []label{{"label", "labels", 10}},
			names:  "label_names",
		},
		{
			Known: sets[1],
			binary: version{
				title: "binary version", folder: "cifar-100-binary",
				archive: "cifar-100-binary.tar.gz",
				train:   []string{"train.bin"}, test: []string{"test.bin"}, meta: "fine_label_names.txt",
			},
			python: version{
				title: "python version", folder: "cifar-100-python",
				archive: "cifar-100-python.tar.gz", md5: "eb9058c3a382ffc7106e4002c42a8d85",
				train: []string{"train"}, test: []string{"test"}, meta: "meta",
			},
			labels: []label{{"coarse label", "coarse_labels", 20}, {"fine label", "fine_labels", 100}},
			names:  "fine_label_names",
		},
	}
}

// record is the length of a binary record in bytes.
func (l *layout) record() int { return len(l.labels) + planes }

// files returns the names of all files in official order.
func (v *version) files() []string {
	return append(append([]string(nil), v.train...), v.test...)
}

// obtain tells how to get the files.
func (v *version) obtain() string {
	s := "download https://www.cs.toronto.edu/~kriz/" + v.archive
	if v.md5 != "" {
		s += " (md5 " + v.md5 + ")"
	}
	return s + " and unpack it with: tar xzf " + v.archive
}
