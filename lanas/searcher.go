package lanas

// Searcher is LaNAS. Its models are ridge regressions in closed form, where the
// paper descends a gradient: the same objective, without a learning rate to
// get wrong, and a pure function of the samples.
type Searcher struct {
	history
	cfg  Config
	xs   [][]int32 // ones of the samples' codes
	tree *tree     // of the samples so far, or nil
}

var _ Search = (*Searcher)(nil)

// New returns a search of s that knows nothing yet.
func New(s Space, c Config) (*Searcher, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	h, err := newHistory(s, c.Seed)
	if err != nil {
		return nil, err
	}
	return &Searcher{history: h, cfg: c}, nil
}

// Ask proposes an architecture; see Search.
func (s *Searcher) Ask() ([]byte, error) {
	p, err := s.Propose()
	return p.Code, err
}

// Propose is Ask with the proposal's origin.
func (s *Searcher) Propose() (Proposal, error) {
	r := s.stream()
	var p Proposal
	var err error
	if len(s.samples) == 0 || len(s.samples)+len(s.pending) < s.cfg.Init {
		p.Source = FromWarmup
		p.Code, err = s.uniform(r)
	} else {
		p, err = s.draw(s.current().descend(s.cfg.Cp), r)
	}
	if err != nil {
		return Proposal{}, err
	}
	p.Code = s.await(p.Code)
	return p, nil
}

// Tree lists the regions of the current tree, parents before children, the
// root first; nil before the first sample. The next proposal comes from the
// leaf that is reached from the root by the greater UCB of the two children.
func (s *Searcher) Tree() []Region {
	if len(s.samples) == 0 {
		return nil
	}
	return s.current().list(s.cfg.Cp)
}

// current is the tree of the samples so far. It is learnt from the first Init
// samples and a whole number of SelectPerTree more; the samples since then only
// count in the regions they fall into (the paper's back-propagation).
func (s *Searcher) current() *tree {
	for i := len(s.xs); i < len(s.samples); i++ {
		s.xs = append(s.xs, ones(s.samples[i].Code))
	}
	n := len(s.samples)
	if n >= s.cfg.Init {
		n -= (n - s.cfg.Init) % s.cfg.SelectPerTree
	}
	if s.tree == nil || s.tree.learnt != n {
		scores := make([]float64, n)
		for i := range scores {
			scores[i] = s.samples[i].Score
		}
		s.tree = learn(s.xs[:n], scores, s.space.Dim(), s.cfg)
	}
	t := s.tree
	for ; t.routed < len(s.samples); t.routed++ {
		t.route(s.xs[t.routed], func(g *region) { g.count(t.routed, s.samples[t.routed].Score) })
	}
	for _, g := range t.regions {
		g.pending = 0
	}
	for _, code := range s.pending {
		t.route(ones(code), func(g *region) { g.pending++ })
	}
	return t
}
