package prepare

import (
	"archive/tar"
	"context"
	"fmt"
	"io"
	"strconv"
	"time"
)

// split writes the shards of a split.
func (w *writing) split(ctx context.Context, split int, name string) error {
	s := sharding{
		w: w, from: startStream(ctx, w.f, w.o, split), labels: w.f.Info.Splits[split].Labels,
		made: Split{Name: name, Shards: []string{}, Samples: []int{}},
	}
	defer s.from.close()
	j, err := s.good()
	for j != nil && err == nil {
		shard := fmt.Sprintf("%s-%06d.tar", name, len(s.made.Shards))
		s.made.Shards = append(s.made.Shards, shard)
		before := s.made.Images
		var next *job
		err = w.out.write(shard, func(to io.Writer) (err error) {
			next, err = s.shard(to, j)
			return err
		})
		s.made.Samples = append(s.made.Samples, s.made.Images-before)
		j = next
	}
	w.Splits = append(w.Splits, s.made)
	if s.failed != nil {
		return s.failed // rather than that the shard could not be written for it
	}
	return err
}

// sharding is a split in the making.
type sharding struct {
	w      *writing
	from   *stream
	labels []int32
	made   Split
	failed error // of reading
}

// good returns the next record that is not bad, nil after the last one.
func (s *sharding) good() (j *job, err error) {
	defer func() { s.failed = err }()
	for {
		j, err := s.from.next()
		if j == nil || err != nil || j.bad == nil {
			return j, err
		}
		if err := s.w.leaveOut(j.bad); err != nil {
			return nil, err
		}
		s.w.progress(1)
	}
}

// shard writes a tar file from record j on, and returns the first one of the next file.
func (s *sharding) shard(to io.Writer, j *job) (*job, error) {
	t := tar.NewWriter(to)
	for n := 0; j != nil && n < s.w.o.ShardSize; n++ {
		key := fmt.Sprintf("%08d", j.record)
		if err := member(t, key+".jpg", j.file); err != nil {
			return nil, err
		}
		if err := member(t, key+".cls", strconv.AppendInt(nil, int64(s.labels[j.record]), 10)); err != nil {
			return nil, err
		}
		s.made.Images++
		s.made.Bytes += int64(len(j.file))
		if j.copied {
			s.made.Copied++
		}
		s.from.recycle(j)
		s.w.progress(1)
		var err error
		if j, err = s.good(); err != nil {
			return nil, err
		}
	}
	return j, t.Close()
}

// member writes a file whose header says nothing of when and by whom it was written.
func member(t *tar.Writer, name string, b []byte) error {
	h := &tar.Header{Typeflag: tar.TypeReg, Name: name, Size: int64(len(b)), Mode: 0o644, ModTime: time.Unix(0, 0), Format: tar.FormatUSTAR}
	if err := t.WriteHeader(h); err != nil {
		return err
	}
	_, err := t.Write(b)
	return err
}
