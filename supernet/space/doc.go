// Package space says what a space of architectures is: which architectures there
// are, how they are written, and what networks they stand for.
//
// An architecture is a list of choices (Arch); what each choice means is the
// business of its space. A search sees architectures as 0/1 codes (Encode), people
// see them as text (Format), and everything that computes sees the network that
// Describe yields. So nobody above has to know cells or blocks.
//
// A space is a family, a size and its rules (Named). The rules say what the operations
// of a network are, so they are part of the space's name, and with it of the text and
// of the hash of every architecture.
//
// The spaces live in packages of their own below this one. Each registers its
// families when it is imported, as the image formats of the standard library do, and
// may register more forms in which architectures are written (Form):
//
//	import _ "oneshot/supernet/space/cell"
//
//	s, err := space.New("lanas", 5)
//	a := s.Sample(r)                     // uniform
//	text := s.Format(a)                  // "lanas5:0.sep_conv_3x3+1.skip_connect,..."
//	s, a, err = space.ParseAny(text)     // a text names its space
//	s, a, err = space.ParseAny("lanet")  // so does a published name
//	n, err := s.Describe(size, a)        // the network, see package net
package space
