package tars

import (
	"archive/tar"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"oneshot/data/source"
)

// pack makes a tar file of "name=content" words. A name that ends with / is a folder, and
// "name->target" a link.
func pack(t testing.TB, words string, format tar.Format) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, word := range strings.Fields(words) {
		h := &tar.Header{Typeflag: tar.TypeReg, Mode: 0o644, Format: format}
		content := ""
		if name, target, ok := strings.Cut(word, "->"); ok {
			h.Name, h.Linkname, h.Typeflag = name, target, tar.TypeSymlink
		} else {
			h.Name, content, _ = strings.Cut(word, "=")
			if strings.HasSuffix(word, "/") {
				h.Typeflag = tar.TypeDir
			} else if content == "" {
				content = h.Name
			} else if content == "EMPTY" {
				content = ""
			}
		}
		h.Size = int64(len(content))
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// files writes files of a folder: tar files of words, others as they are.
func files(t *testing.T, root string, list map[string]string) {
	t.Helper()
	for name, words := range list {
		b := []byte(words)
		if strings.HasSuffix(name, ".tar") {
			b = pack(t, words, tar.FormatUnknown)
		}
		p := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// show is a source in a few words: its splits and records, label and content.
func show(t *testing.T, path string) (string, *source.Info) {
	t.Helper()
	s, err := Open(path, "")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var b strings.Builder
	for split, p := range s.Info().Splits {
		fmt.Fprintf(&b, "[%s]", p.Name)
		for i, y := range p.Labels {
			content, err := s.Read(split, i, nil)
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&b, " %d:%s", y, content)
		}
	}
	return b.String(), s.Info()
}

func faults(in *source.Info, root string) string {
	var all []string
	for _, f := range in.Faults {
		all = append(all, strings.TrimPrefix(f.File, root+"/")+":"+f.Member+" "+f.Msg)
	}
	return strings.Join(all, "; ")
}

func TestSamples(t *testing.T) {
	for _, c := range []struct {
		name    string
		files   map[string]string
		want    string
		classes string
		faults  string
		notes   string
	}{
		{"numbers", map[string]string{"set-000000.tar": "a.jpg=A a.cls=1 b.cls=0 b.png=B", "set-000001.tar": "c.jpg=C c.cls=1"},
			"[] 1:A 0:B 1:C", "0 1", "", ""},
		{"splits in names", map[string]string{"in1k-train-000000.tar": "a.jpg=A a.cls=0", "in1k-validation-000000.tar": "b.jpg=B b.cls=1", "in1k-train-000001.tar": "c.jpg=C c.cls=0"},
			"[train] 0:A 0:C[validation] 1:B", "0 1", "", ""},
		{"split folders", map[string]string{"val/000000.tar": "b.jpg=B b.cls=0", "train/000000.tar": "a.jpg=A a.cls=0"},
			"[train] 0:A[val] 0:B", "0", "", ""},
		{"json numbers", map[string]string{"x.tar": `a.jpg=A a.json={"label":3} b.jpg=B b.json={"a":"b","fine_label":0}`},
			"[] 3:A 0:B", "0 1 2 3", "", ""},
		{"json names", map[string]string{"x.tar": `a.jpg=A a.json={"class":"dog"} b.jpg=B b.json={"cls":"cat"} c.jpg=C c.json={"class":"dog"}`},
			"[] 1:A 0:B 1:C", "cat dog", "", ""},
		{"names of classes", map[string]string{"x.tar": `a.jpg=A a.cls=1 b.jpg=B b.json={"cls":"zebra"} c.jpg=C c.cls=3 d.jpg=D d.json={"label":"yak"}`, "classes.txt": "zebra\r\ncrane\ncrane\n\n"},
			"[] 1:A 0:B", "zebra|crane|crane (2)", "x.tar:c.cls is label 3, want one of the 3 classes; x.tar:d.json is label \"yak\", which is none of the 3 classes",
			"class 2 is called crane as another is; its number was added"},
		{"upper case, folders and several parts", map[string]string{"x.tar": "d/ d/1.JPEG=A d/1.CLS=0 e/1.x.jpg=B e/1.x.cls=1 f.jpg=C f.seg.png=S f.cls=1"},
			"[] 0:A 1:B 1:C", "0 1", "", ""},
		{"faults", map[string]string{"x.tar": "a.jpg=A a.cls=0 b.jpg=B c.cls=0 d.jpg=D d.cls=one e.jpg=E e.cls=-1 f.jpg=F f.cls=99999999 g.jpg=G g.png=G g.cls=0 " +
			"h.jpg->a.jpg h.cls=0 i.jpg=I i.json=[] j.jpg=J j.json={} k.jpg=K k.json={\"label\":1.5} a.jpg=L a.cls=0 m.txt=M __meta__.cls=1 .n.jpg"},
			"[] 0:A 0:L", "0",
			`x.tar:c.cls has no image beside it; x.tar:d.cls is label "one", want a number from 0 to 1048575; x.tar:e.cls is label "-1", want a number from 0 to 1048575; ` +
				`x.tar:f.cls is label "99999999", want a number from 0 to 1048575; x.tar:g.png is one of several images of a sample; x.tar:h.jpg is no regular file; ` +
				`x.tar:i.json is no JSON object: json: cannot unmarshal array into Go value of type map[string]json.RawMessage; x.tar:j.json has no label, cls, class or fine_label; ` +
				`x.tar:k.json has label 1.5, want a number from 0 to 1048575 or a name; x.tar:b.jpg has no label beside it, .cls or .json`,
			"samples with neither image nor label, left out: 1"},
		{"missing shards", map[string]string{"s-000000.tar": "a.jpg=A a.cls=0", "s-000003.tar": "b.jpg=B b.cls=0"},
			"[] 0:A 0:B", "0", "", "tar files of s missing between numbers 0 and 3: 2 (1 the first)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			root := t.TempDir()
			files(t, root, c.files)
			got, in := show(t, root)
			if got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
			sep := " "
			if strings.Contains(c.classes, "|") {
				sep = "|"
			}
			if s := strings.Join(in.Classes, sep); s != c.classes {
				t.Errorf("classes %s, want %s", s, c.classes)
			}
			if s := faults(in, root); s != c.faults {
				t.Errorf("faults\n%s\nwant\n%s", s, c.faults)
			}
			if s := strings.Join(in.Notes, "; "); s != c.notes {
				t.Errorf("notes %s, want %s", s, c.notes)
			}
		})
	}
}

func TestClassFolders(t *testing.T) {
	root := t.TempDir()
	long := "train/dog/" + strings.Repeat("long", 40) + ".jpg"
	files(t, root, map[string]string{
		"photos.tar":       "./ ./set/ ./set/README ./set/val/cat/5.jpg=V ./set/train/dog/2.jpg=D ./set/train/cat/10.jpg=C ./set/train/cat/1.jpg=B ./set/train/cat/1.txt ./set/train/cat/1.jpg=A ./set/train/dog/l.jpg->2.jpg",
		"plain.tar":        "dog/dog.1.jpg=A dog/dog.2.jpg=B cat/x=C",
		"names.tar":        "a/1.jpg=A /b/2.jpg=B ../c/3.jpg=C d/../../4.jpg=D b/../a/5.jpg=E " + strings.Repeat("x/", 2500) + "1.jpg",
		"deep.tar":         "a/1.jpg=A " + strings.Repeat("b/", 64) + "2.jpg=B " + strings.Repeat("c/", 65) + "3.jpg=C",
		"two/train.tar":    "train/cat/2.jpg=B train/cat/1.jpg=A " + long + "=L",
		"two/val.tar":      "cat/1.jpg=V",
		"clash.tar":        "a/1.jpg=A a/1.jpg/2.jpg=B b=x b/3.jpg=C",
		"my-train-set.tar": "train/a/1.jpg=A val/a/2.jpg=B",
		"train-only.tar":   "a/1.jpg=A b/2.jpg=B",
	})
	for _, c := range []struct{ path, want, classes, faults, notes string }{
		{"photos.tar", "[train] 0:A 0:C 1:D[val] 0:V", "cat dog", "photos.tar:./set/train/dog/l.jpg is a link, which is not followed in an archive",
			"files that are no images by their extension, left out: 1 (set/train/cat/1.txt); members that a later one of the same name replaces: 1"},
		{"plain.tar", "[] 0:C 1:A 1:B", "cat dog", "", ""},
		{"names.tar", "[] 0:A 0:E", "a", "names.tar:/b/2.jpg has a name that is no path within the archive; names.tar:../c/3.jpg has a name that is no path within the archive; " +
			"names.tar:d/../../4.jpg has a name that is no path within the archive; names.tar:" + strings.Repeat("x/", 32) + "... has a name of 5005 bytes, want at most 4096", ""},
		{"deep.tar", "[] 0:A 1:B", "a b", "deep.tar:" + strings.Repeat("c/", 65) + "3.jpg lies in 65 folders, want at most 64", ""},
		{"two", "[train] 0:A 0:B 1:L[val] 0:V", "cat dog", "", ""},
		{"clash.tar", "[] 0:B 1:C", "a b", "", "members that a later one of the same name replaces: 2"},
		{"my-train-set.tar", "[train] 0:A[val] 0:B", "a", "", ""},
		{"train-only.tar", "[train] 0:A 1:B", "a b", "", ""},
	} {
		t.Run(c.path, func(t *testing.T) {
			got, in := show(t, filepath.Join(root, c.path))
			if got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
			if s := strings.Join(in.Classes, " "); s != c.classes {
				t.Errorf("classes %s, want %s", s, c.classes)
			}
			if s := faults(in, root); s != c.faults {
				t.Errorf("faults\n%s\nwant\n%s", s, c.faults)
			}
			if s := strings.Join(in.Notes, "; "); s != c.notes {
				t.Errorf("notes %s, want %s", s, c.notes)
			}
		})
	}
}

func TestExpand(t *testing.T) {
	for in, want := range map[string]string{
		"a": "a", "a-{08..11}.tar": "a-08.tar a-09.tar a-10.tar a-11.tar",
		"{x,y}-{0..1}": "x-0 x-1 y-0 y-1", "{5..5}": "5",
	} {
		got, err := expand(in)
		if err != nil || strings.Join(got, " ") != want {
			t.Errorf("%s: %v %v, want %s", in, got, err, want)
		}
	}
}

func TestPattern(t *testing.T) {
	root := t.TempDir()
	files(t, root, map[string]string{"s-00.tar": "a.jpg=A a.cls=0", "s-01.tar": "b.jpg=B b.cls=1", "s-02.tar": "c.jpg=C c.cls=2"})
	p := filepath.Join(root, "s-{00..01}.tar")
	if got, _ := show(t, p); got != "[] 0:A 1:B" {
		t.Error(got)
	}
	for _, twice := range []string{"s-0{0,0}.tar", "s-0{0,1,0}.tar", "{.,./.}/s-00.tar"} {
		if _, err := Open(filepath.Join(root, "x")[:len(root)+1]+twice, ""); err == nil || !strings.Contains(err.Error(), "names s-00.tar twice") {
			t.Errorf("%s: %v", twice, err)
		}
	}
	if d := Detect(p); d != "2 tar files" {
		t.Error(d)
	}
	if d := Detect(filepath.Join(root, "s-02.tar")); d != "a tar file" {
		t.Error(d)
	}
	if d := Detect(t.TempDir()) + Detect("tars_test.go") + Detect("none-{0..1}.tar"); d != "" {
		t.Error(d)
	}
}
