// Package weights keeps named tensors on disk: safetensors files, which PyTorch
// and its neighbours read, and checkpoints, which survive a crash at any point.
//
// # Safetensors
//
// A file is an 8-byte little-endian header length, a JSON header that gives
// each tensor's dtype, shape and byte range, and the raw little-endian data
// (format: https://github.com/huggingface/safetensors, "Format"). Equal tensors
// give equal bytes: names are sorted in the header, the data holds the 8-byte
// elements before the 4-byte ones (so that each tensor is aligned), and spaces
// pad the header to 8 bytes. The reader trusts nothing: duplicate keys, unknown
// fields, sizes that overflow, holes, overlaps and trailing bytes are a
// *FormatError with the file and the byte offset.
//
// # Checkpoints
//
// A checkpoint is a directory:
//
//	ckpt-00000123/model.safetensors   the tensors
//	ckpt-00000123/state.json          the caller's state, bytes unchanged
//	ckpt-00000123/DONE                schema version, step, size and SHA-256 of both, and of itself
//
// It is written under a hidden temporary name in the same parent: each file is
// fsynced, DONE is written last, the directory is fsynced, renamed, and the
// parent fsynced. Older checkpoints are removed only after that. So at every
// point of a save, a crash or power cut leaves the previous checkpoint or the
// new one, and DONE tells a complete one from anything else. Loading checks
// every byte against DONE before it returns anything.
//
// One process at a time may save into a directory; the caller holds a lock.
//
//	err := weights.SaveCheckpoint(dir, 500, weights.Checkpoint{Step: 500, Tensors: ts, State: state}, 3)
//	c, skipped, err := weights.LoadLatest(dir)
//
// Errors that matter to callers: ErrNoCheckpoint (nothing saved yet),
// ErrCorrupt (damaged bytes), ErrNewer (written by a newer oneshot),
// *NonFiniteError (NaN or Inf, refused by every writer of this package that
// makes a file to go on from; in a checkpoint that is read it is damage).
package weights
