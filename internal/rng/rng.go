// Package rng derives independent random streams from one user seed.
//
// Every random decision of oneshot (weight initialisation, path sampling, data
// order, augmentation, search) draws from its own stream, named by a role and
// integers such as the epoch and the image index. Two streams never share
// state, so adding a draw to one of them changes no other, and the draw for
// (epoch 3, image 17) is the same whichever worker makes it.
//
//	r := rng.New(seed, "augment", epoch, index)
package rng

import (
	"crypto/sha256"
	"encoding/binary"
	"math/rand/v2"
)

// New returns the PCG stream of (seed, role, ids...). The 128-bit PCG state is
// the start of a SHA-256 over the three, so neighbouring ids give unrelated
// streams.
func New(seed uint64, role string, ids ...uint64) *rand.Rand {
	h := sha256.New()
	var b [8]byte
	put := func(v uint64) {
		binary.LittleEndian.PutUint64(b[:], v)
		h.Write(b[:])
	}
	put(seed)
	put(uint64(len(role)))
	h.Write([]byte(role))
	for _, id := range ids {
		put(id)
	}
	s := h.Sum(nil)
	return rand.New(rand.NewPCG(binary.LittleEndian.Uint64(s), binary.LittleEndian.Uint64(s[8:])))
}
